import { useQuery } from '@tanstack/react-query'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { UsageSummary } from '../../shared/api/types.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { summaryQuery } from './api.ts'
import { DayChart } from './day-chart.tsx'
import { lastDays } from './last-days.ts'
import { usageMessages } from './usage.messages.ts'

type Group = UsageSummary['groups'][number]

function totals(groups: readonly Group[]) {
  const sum = (read: (group: Group) => number) => groups.reduce((total, group) => total + read(group), 0)
  return {
    requests: sum((group) => group.requests),
    unknown: sum((group) => group.unknownRequests),
    prompt: sum((group) => group.promptTokens),
    cached: sum((group) => group.cachedTokens),
    completion: sum((group) => group.completionTokens),
  }
}

function Tile({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }) {
  return (
    <div className="usage-tile">
      <span className="small muted">{name}</span>
      <strong className="num">{value}</strong>
      <span className="small muted">{note}</span>
    </div>
  )
}

function Content({ groups }: { readonly groups: readonly Group[] }) {
  const t = useText(usageMessages)
  const format = useFormat()
  const total = totals(groups)
  const days = lastDays(groups, new Date(), 7)
  const reused =
    total.prompt === 0 || total.cached === 0
      ? t('reusedNone')
      : t('reused', { share: format.percent(total.cached / total.prompt) })
  return (
    <>
      <div className="usage-tiles">
        <Tile name={t('requests')} value={format.count(total.requests)} note={t('allModels')} />
        <Tile name={t('completion')} value={format.count(total.completion)} note={t('allModels')} />
        <Tile name={t('prompt')} value={format.count(total.prompt)} note={reused} />
        <Tile name={t('unknown')} value={format.count(total.unknown)} note={t('unknownNote')} />
      </div>
      {total.requests === 0 ? null : (
        <Panel title={t('byDay')}>
          <DayChart label={t('chart')} days={days} />
          <details className="day-table">
            <summary>{t('byDayTable')}</summary>
            <DataTable
              caption={t('byDay')}
              rows={days}
              rowKey={(row) => row.day}
              columns={[
                { key: 'day', title: t('day'), render: (row) => row.day },
                {
                  key: 'requests',
                  title: t('requestCount'),
                  align: 'right',
                  render: (row) => format.count(row.requests),
                },
                {
                  key: 'prompt',
                  title: t('promptTokens'),
                  align: 'right',
                  render: (row) => format.count(row.promptTokens),
                },
                {
                  key: 'completion',
                  title: t('completionTokens'),
                  align: 'right',
                  render: (row) => format.count(row.completionTokens),
                },
              ]}
            />
          </details>
        </Panel>
      )}
    </>
  )
}

export function UsageSummaryView() {
  const summary = useQuery(summaryQuery('day'))
  return <QueryView query={summary}>{(data) => <Content groups={data.groups} />}</QueryView>
}
