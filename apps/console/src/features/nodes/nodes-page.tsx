import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Button } from 'antd'
import { type ReactNode, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import type { Node } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { withFilter } from '../../shared/search.ts'
import { useMay } from '../../shared/session.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { TextFilter } from '../../shared/ui/filters.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { ReasonDialog } from '../../shared/ui/reason-dialog.tsx'
import { cordonNode, uncordonNode } from './api.ts'
import { useNodeColumns } from './columns.tsx'
import { JoinDialog } from './join-dialog.tsx'
import './nodes.css'
import { nodeMessages } from './nodes.messages.ts'
import { nodesSearch } from './search.ts'

const csvColumns: readonly CsvColumn<Node>[] = [
  ['node_id', (node) => node.id],
  ['name', (node) => node.facts.hostname],
  ['state', (node) => node.state],
  ['simulated', (node) => node.simulated],
  ['cordon', (node) => node.cordon?.state ?? 'open'],
  ['cordon_reason', (node) => node.cordon?.reason ?? null],
  ['rack', (node) => node.place.rack],
  ['spine', (node) => node.place.spine],
  ['chips', (node) => node.chipCount],
  ['chips_healthy', (node) => node.chipStates.healthy ?? 0],
  ['operating_system', (node) => node.facts.operatingSystem],
  ['kernel', (node) => node.facts.kernel],
  ['agent_version', (node) => node.facts.agentVersion],
  [
    'labels',
    (node) =>
      Object.entries(node.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
  ],
  ['last_seen_at', (node) => node.lastSeenAt],
]

/** One call per node; tells how many did not work instead of stopping at the first. */
async function forEach(ids: readonly string[], change: (id: string) => Promise<unknown>): Promise<number> {
  const results = await Promise.allSettled(ids.map(change))
  const failures = results.filter((result) => result.status === 'rejected')
  if (failures.length === ids.length && failures[0] !== undefined) throw failures[0].reason
  return failures.length
}

interface BulkBarProps {
  readonly selected: ReadonlySet<string>
  readonly onDone: () => void
}

function BulkBar({ selected, onDone }: BulkBarProps) {
  const t = useText(nodeMessages)
  const format = useFormat()
  const queryClient = useQueryClient()
  const [cordoning, setCordoning] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const ids = [...selected]
  const count = format.count(ids.length)
  const run = async (change: (id: string) => Promise<unknown>) => {
    const failed = await forEach(ids, change)
    void queryClient.invalidateQueries({ queryKey: ['nodes'] })
    if (failed > 0) throw new Error(t('partly', { failed: format.count(failed), count }))
    onDone()
  }
  const uncordon = async () => {
    setBusy(true)
    setError(null)
    try {
      await run(uncordonNode)
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="bulk-bar" role="status">
      <div className="row">
        <strong>{t('selected', { count })}</strong>
        <Button size="small" onClick={() => setCordoning(true)}>
          {t('cordon')}
        </Button>
        <Button size="small" loading={busy} onClick={() => void uncordon()}>
          {t('uncordon')}
        </Button>
        <Button size="small" type="text" onClick={onDone}>
          {t('clearSelection')}
        </Button>
      </div>
      {error === null ? null : <ProblemNote error={error} />}
      {cordoning ? (
        <ReasonDialog
          title={t('cordonMany', { count })}
          action={t('cordon')}
          onConfirm={(reason) => run((id) => cordonNode(id, { reason, drain: false }))}
          onClose={() => setCordoning(false)}
        >
          <p>{t('cordonWhat')}</p>
        </ReasonDialog>
      ) : null}
    </div>
  )
}

function NoNodes({ text, action }: { readonly text: string | undefined; readonly action: ReactNode }) {
  const t = useText(nodeMessages)
  if (text !== undefined) {
    return (
      <Empty title={t('noMatch', { text })} action={<Link to="/nodes">{t('clear')}</Link>}>
        {t('noMatchNext')}
      </Empty>
    )
  }
  return (
    <Empty
      title={t('none')}
      action={
        <>
          <CopyBlock
            label={t('joinExample')}
            text={`MEDLEY_JOIN_TOKEN=TOKEN medley agent join ${window.location.origin}`}
            wrap
          />
          {action}
        </>
      }
    >
      {t('noneNext')}
    </Empty>
  )
}

export function NodesPage() {
  const t = useText(nodeMessages)
  const navigate = useNavigate()
  const search = nodesSearch(useSearch({ from: '/shell/nodes' }))
  const nodes = usePages<Node>(['nodes', 'list'], '/api/v1/nodes', { q: search.q })
  const columns = useNodeColumns()
  const mayJoin = useMay('join-tokens:write')
  const mayChange = useMay('nodes:write')
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const setJoin = (open: boolean) =>
    void navigate({ to: '/nodes', search: withFilter(search, 'join', open ? 'yes' : ''), replace: true })
  const join = mayJoin ? (
    <Button type="primary" onClick={() => setJoin(true)}>
      {t('join')}
    </Button>
  ) : null
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} action={join} />
      <section className="panel" aria-label={t('title')}>
        <header>
          <div className="filter-bar">
            <TextFilter
              label={t('search')}
              value={search.q}
              onChange={(value) => void navigate({ to: '/nodes', search: withFilter(search, 'q', value) })}
            />
          </div>
          <ExportButton
            fileName="medley-nodes.csv"
            columns={csvColumns}
            collect={(onProgress) => collectPages<Node>('/api/v1/nodes', { q: search.q }, onProgress)}
          />
        </header>
        {selected.size === 0 ? null : <BulkBar selected={selected} onDone={() => setSelected(new Set())} />}
        <QueryView query={nodes.query}>
          {() =>
            nodes.rows.length === 0 ? (
              <NoNodes text={search.q} action={join} />
            ) : (
              <>
                <DataTable
                  caption={t('title')}
                  columns={columns}
                  rows={nodes.rows}
                  rowKey={(node) => node.id}
                  hatched={(node) => node.simulated}
                  rowPixels={62}
                  {...(mayChange
                    ? { selection: { selected, onChange: setSelected, nameOf: (node: Node) => node.facts.hostname } }
                    : {})}
                />
                <LoadMore pages={nodes} />
              </>
            )
          }
        </QueryView>
      </section>
      {search.join === undefined ? null : <JoinDialog onClose={() => setJoin(false)} />}
    </>
  )
}
