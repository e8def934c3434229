import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { deploymentsQuery } from '../../shared/api/queries.ts'
import { downloadFile } from '../../shared/download.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { collectUsage, exportLimit, summaryQuery, usageQuery } from './api.ts'
import { useUsageColumns } from './columns.tsx'
import { usageCsv } from './csv.ts'
import { type UsageSearch, usageSearch } from './search.ts'
import { UsageSummaryView } from './summary.tsx'
import './usage.css'
import { usageMessages } from './usage.messages.ts'

const outcomes = ['completed', 'aborted', 'failed', 'refused', 'interrupted'] as const

function Filters({ search }: { readonly search: UsageSearch }) {
  const t = useText(usageMessages)
  const navigate = useNavigate()
  const deployments = useQuery(deploymentsQuery).data?.items ?? []
  const used = useQuery(summaryQuery('model')).data?.groups ?? []
  const models = [...new Set([...deployments.map((row) => row.servedModel), ...used.flatMap((row) => row.group ?? [])])]
  // A changed filter starts again at the newest row: the old cursor belongs to another list.
  const set = (name: 'model' | 'outcome' | 'requestId', value: string) => {
    const { cursor: _, [name]: __, ...rest } = search
    void navigate({ to: '/usage', search: value === '' ? rest : { ...rest, [name]: value } })
  }
  return (
    <div className="row filters">
      <Input.Search
        key={search.requestId ?? ''}
        aria-label={t('requestId')}
        placeholder={t('requestId')}
        defaultValue={search.requestId ?? ''}
        allowClear
        onSearch={(value) => set('requestId', value.trim())}
      />
      <Select
        aria-label={t('model')}
        value={search.model ?? ''}
        onChange={(value: string) => set('model', value)}
        options={[
          { value: '', label: t('anyModel') },
          ...models.filter((model) => model !== '').map((model) => ({ value: model, label: model })),
        ]}
      />
      <Select
        aria-label={t('outcome')}
        value={search.outcome ?? ''}
        onChange={(value: string) => set('outcome', value)}
        options={[
          { value: '', label: t('anyOutcome') },
          ...outcomes.map((outcome) => ({ value: outcome, label: t(outcome) })),
        ]}
      />
    </div>
  )
}

function ExportButton({ search }: { readonly search: UsageSearch }) {
  const t = useText(usageMessages)
  const format = useFormat()
  const [rows, setRows] = useState<number | null>(null)
  const [cut, setCut] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async () => {
    const { cursor: _, ...filters } = search
    setRows(0)
    setError(null)
    try {
      const events = await collectUsage(filters, setRows)
      setCut(events.length === exportLimit)
      downloadFile('medley-usage.csv', 'text/csv;charset=utf-8', usageCsv(events))
    } catch (failure) {
      setError(failure)
    } finally {
      setRows(null)
    }
  }
  return (
    <div>
      <Button onClick={() => void run()} loading={rows !== null}>
        {rows === null ? t('export') : t('exporting', { count: format.count(rows) })}
      </Button>
      {cut ? <p className="small muted">{t('exportCut', { count: format.count(exportLimit) })}</p> : null}
      {error === null ? null : <ProblemNote error={error} />}
    </div>
  )
}

function NoRows({ filtered }: { readonly filtered: boolean }) {
  const t = useText(usageMessages)
  return filtered ? (
    <Empty title={t('noMatch')} action={<Link to="/usage">{t('clear')}</Link>}>
      {t('noMatchNext')}
    </Empty>
  ) : (
    <Empty title={t('none')} action={<Link to="/playground">{t('open')}</Link>}>
      {t('noneNext')}
    </Empty>
  )
}

export function UsagePage() {
  const t = useText(usageMessages)
  const search = usageSearch(useSearch({ from: '/shell/usage' }))
  const usage = useQuery(usageQuery(search))
  const columns = useUsageColumns()
  const { cursor: _, ...filters } = search
  const filtered = Object.keys(filters).length > 0
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} action={<ExportButton search={search} />} />
      <div className="stack">
        <UsageSummaryView />
        <section className="panel" aria-label={t('rows')}>
          <header>
            <h2>{t('rows')}</h2>
            <Filters search={search} />
          </header>
          <QueryView query={usage}>
            {(page) =>
              page.items.length === 0 ? (
                <NoRows filtered={filtered} />
              ) : (
                <>
                  <DataTable caption={t('rows')} rows={page.items} rowKey={(event) => event.id} columns={columns} />
                  {search.cursor === undefined && page.nextCursor === null ? null : (
                    <nav className="row between paging" aria-label={t('rows')}>
                      {search.cursor === undefined ? (
                        <span />
                      ) : (
                        <Link to="/usage" search={filters}>
                          {t('first')}
                        </Link>
                      )}
                      {page.nextCursor === null ? null : (
                        <Link to="/usage" search={{ ...filters, cursor: page.nextCursor }}>
                          {t('next')}
                        </Link>
                      )}
                    </nav>
                  )}
                </>
              )
            }
          </QueryView>
        </section>
      </div>
    </>
  )
}
