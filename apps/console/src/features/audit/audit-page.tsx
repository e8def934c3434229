import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import { sessionQuery } from '../../shared/api/queries.ts'
import type { AuditEntry } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { withFilter } from '../../shared/search.ts'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { ChoiceFilter, TextFilter } from '../../shared/ui/filters.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { type State, StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import './audit.css'
import { auditMessages } from './audit.messages.ts'
import { type AuditSearch, auditSearch } from './search.ts'

const csvColumns: readonly CsvColumn<AuditEntry>[] = [
  ['id', (entry) => entry.id],
  ['at', (entry) => entry.at],
  ['actor_kind', (entry) => entry.actor.kind],
  ['actor_id', (entry) => entry.actor.id],
  ['action', (entry) => entry.action],
  ['subject', (entry) => entry.subject],
  ['outcome', (entry) => entry.outcome],
  ['code', (entry) => entry.code],
  ['from', (entry) => entry.from],
  ['detail', (entry) => JSON.stringify(entry.detail)],
]

const marks: Readonly<Record<AuditEntry['outcome'], State>> = { done: 'healthy', denied: 'held', failed: 'failed' }

/** The filters as the server takes them: days become a moment. */
function filtersOf({ days, ...rest }: AuditSearch) {
  const count = Number(days)
  if (days === undefined || !Number.isFinite(count)) return rest
  // On the minute, so that the same filter asks for the same list while it is looked at.
  const from = Math.floor((Date.now() - count * 86_400_000) / 60_000) * 60_000
  return { ...rest, from: new Date(from).toISOString() }
}

function Filters({ search }: { readonly search: AuditSearch }) {
  const t = useText(auditMessages)
  const navigate = useNavigate()
  const set = (name: keyof AuditSearch, value: string) =>
    void navigate({ to: '/audit', search: withFilter(search, name, value) })
  return (
    <div className="filter-bar">
      <TextFilter label={t('action')} value={search.action} onChange={(value) => set('action', value)} />
      <TextFilter label={t('subject')} value={search.subject} onChange={(value) => set('subject', value)} />
      <ChoiceFilter
        label={t('outcome')}
        value={search.outcome}
        any={t('anyOutcome')}
        choices={(['done', 'denied', 'failed'] as const).map((value) => ({ value, label: t(value) }))}
        onChange={(value) => set('outcome', value)}
      />
      <ChoiceFilter
        label={t('period')}
        value={search.days}
        any={t('anyTime')}
        choices={[
          { value: '1', label: t('day') },
          { value: '7', label: t('week') },
          { value: '30', label: t('month') },
        ]}
        onChange={(value) => set('days', value)}
      />
    </div>
  )
}

/** A name where it is known, the way to a node, and the bare id else. */
function Actor({ actor }: Pick<AuditEntry, 'actor'>) {
  const reader = useQuery(sessionQuery).data?.user
  if (reader !== undefined && actor.id === reader.id) return reader.name
  if (actor.kind === 'node') {
    return (
      <Link to="/nodes/$nodeId" params={{ nodeId: actor.id }} className="mono">
        {actor.id}
      </Link>
    )
  }
  return <span className={actor.kind === 'system' ? '' : 'mono'}>{actor.id}</span>
}

function useColumns(): readonly Column<AuditEntry>[] {
  const t = useText(auditMessages)
  const format = useFormat()
  const kinds = { user: t('user'), key: t('key'), system: t('system'), node: t('node'), anonymous: t('anonymous') }
  const kindOf = (kind: string) => (Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : kind)
  return [
    {
      key: 'time',
      title: t('time'),
      render: (entry) => (
        <>
          <When iso={entry.at} />
          <div className="small muted num">{format.time(entry.at)}</div>
        </>
      ),
    },
    {
      key: 'who',
      title: t('who'),
      render: (entry) => (
        <>
          <Actor actor={entry.actor} />
          <div className="small muted">{kindOf(entry.actor.kind)}</div>
        </>
      ),
    },
    {
      key: 'what',
      title: t('what'),
      render: (entry) => (
        <Link to="/audit" search={{ action: entry.action }} className="mono">
          {entry.action}
        </Link>
      ),
    },
    {
      key: 'about',
      title: t('about'),
      render: (entry) =>
        entry.subject === null ? (
          <Unknown reason={t('noSubject')} />
        ) : (
          <Link to="/audit" search={{ subject: entry.subject }} className="mono">
            {entry.subject}
          </Link>
        ),
    },
    {
      key: 'outcome',
      title: t('outcome'),
      render: (entry) => (
        <>
          <StateMark state={marks[entry.outcome]} label={t(entry.outcome)} />
          {entry.code === null ? null : (
            <div className="small muted">
              <code>{entry.code}</code>
            </div>
          )}
        </>
      ),
    },
    {
      key: 'from',
      title: t('from'),
      render: (entry) => (entry.from === null ? <Unknown reason={t('noFrom')} /> : <code>{entry.from}</code>),
    },
    {
      key: 'detail',
      title: t('detail'),
      render: (entry) =>
        Object.keys(entry.detail).length === 0 ? null : (
          <details className="audit-detail">
            <summary>
              {t('show')}
              <span className="vh"> {entry.action}</span>
            </summary>
            <pre>{JSON.stringify(entry.detail, null, 2)}</pre>
          </details>
        ),
    },
  ]
}

export function AuditPage() {
  const t = useText(auditMessages)
  const search = auditSearch(useSearch({ from: '/shell/audit' }))
  const { action, subject, outcome, days } = search
  const filters = useMemo(
    () => filtersOf(auditSearch({ action, subject, outcome, days })),
    [action, subject, outcome, days],
  )
  const entries = usePages<AuditEntry>(['audit'], '/api/v1/audit', filters)
  const columns = useColumns()
  const filtered = Object.keys(search).length > 0
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} />
      <section className="panel" aria-label={t('title')}>
        <header>
          <Filters search={search} />
          <ExportButton
            fileName="medley-audit.csv"
            columns={csvColumns}
            collect={(onProgress) => collectPages<AuditEntry>('/api/v1/audit', filters, onProgress)}
          />
        </header>
        <QueryView query={entries.query}>
          {() =>
            entries.rows.length === 0 ? (
              <Empty
                title={t(filtered ? 'noMatch' : 'none')}
                {...(filtered ? { action: <Link to="/audit">{t('clear')}</Link> } : {})}
              >
                {t(filtered ? 'noMatchNext' : 'noneNext')}
              </Empty>
            ) : (
              <>
                <DataTable caption={t('title')} columns={columns} rows={entries.rows} rowKey={(entry) => entry.id} />
                <LoadMore pages={entries} />
              </>
            )
          }
        </QueryView>
      </section>
    </>
  )
}
