import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Segmented } from 'antd'
import { useMemo } from 'react'
import { type Format, useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import type { CapacityPoint } from '../../shared/api/types.ts'
import { Chart } from '../../shared/chart/chart.tsx'
import { type ChartStyle, useChartStyle } from '../../shared/chart/chart-style.ts'
import type { ChartOption } from '../../shared/chart/echart.tsx'
import type { CsvColumn } from '../../shared/csv.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { historyQuery } from './api.ts'
import { capacityMessages } from './capacity.messages.ts'
import { type CapacitySearch, days, type Range, rangeOf } from './search.ts'

const tableRows = 48

const csvColumns: readonly CsvColumn<CapacityPoint>[] = [
  ['at', (point) => point.at],
  ['nominal_petaflops', (point) => point.nominal],
  ['usable_petaflops', (point) => point.usable],
  ['effective_petaflops', (point) => point.effective],
  ['chips', (point) => point.chips],
]

interface Names {
  readonly nominal: string
  readonly usable: string
  readonly effective: string
}

function optionOf(
  points: readonly CapacityPoint[],
  style: ChartStyle,
  names: Names,
  format: Format,
  day: Intl.DateTimeFormat,
): ChartOption {
  const line = (
    name: string,
    colour: string,
    dash: 'solid' | 'dashed' | 'dotted',
    read: (point: CapacityPoint) => number | null,
  ) => ({
    name,
    type: 'line' as const,
    symbol: 'none',
    lineStyle: { color: colour, width: 1.8, type: dash },
    itemStyle: { color: colour },
    data: points.map((point) => [Date.parse(point.at), read(point)]) as [number, number | null][],
  })
  return {
    grid: { left: 62, right: 16, top: 36, bottom: 28 },
    legend: { top: 0, left: 0, icon: 'roundRect', itemHeight: 3, textStyle: { color: style.palette.text } },
    xAxis: {
      type: 'time',
      ...style.axis,
      splitLine: { show: false },
      splitNumber: 6,
      axisLabel: { ...style.axis.axisLabel, formatter: (atMs: number) => day.format(atMs), hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 4,
      ...style.axis,
      axisLabel: { ...style.axis.axisLabel, formatter: (value: number) => format.measure(value, 'P') },
    },
    tooltip: {
      trigger: 'axis',
      ...style.tooltip,
      valueFormatter: (value) => (typeof value === 'number' ? format.measure(value, 'P') : '—'),
    },
    series: [
      line(names.nominal, style.colours[1], 'dashed', (point) => point.nominal),
      line(names.usable, style.colours[2], 'dotted', (point) => point.usable),
      line(names.effective, style.colours[0], 'solid', (point) => point.effective),
    ],
  }
}

function History({ points }: { readonly points: readonly CapacityPoint[] }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  const { locale } = useLocale()
  const style = useChartStyle()
  const option = useMemo(() => {
    const names = { nominal: t('nominal'), usable: t('usable'), effective: t('effective') }
    const day = new Intl.DateTimeFormat(locale, { month: 'numeric', day: 'numeric' })
    return optionOf(points, style, names, format, day)
  }, [points, style, t, format, locale])
  const petaflops = (value: number) => <span className="num">{format.measure(value, 'P')}</span>
  if (points.length === 0) return <p className="line muted">{t('noHistory')}</p>
  return (
    <>
      <div className="supply-chart">
        <Chart option={option} height={260} label={t('historyChart')} />
      </div>
      <details className="quiet-details supply-all">
        <summary>{t('table')}</summary>
        <DataTable
          caption={t('history')}
          rows={points.slice(-tableRows).toReversed()}
          rowKey={(point) => point.at}
          columns={[
            { key: 'at', title: t('time'), render: (point) => format.time(point.at) },
            { key: 'nominal', title: t('nominal'), align: 'right', render: (point) => petaflops(point.nominal) },
            { key: 'usable', title: t('usable'), align: 'right', render: (point) => petaflops(point.usable) },
            {
              key: 'effective',
              title: t('effective'),
              align: 'right',
              render: (point) =>
                point.effective === null ? <Unknown reason={t('noEffective')} /> : petaflops(point.effective),
            },
            { key: 'chips', title: t('chips'), align: 'right', render: (point) => format.count(point.chips) },
          ]}
        />
      </details>
    </>
  )
}

export function HistoryPanel({ search }: { readonly search: CapacitySearch }) {
  const t = useText(capacityMessages)
  const navigate = useNavigate()
  const range = rangeOf(search.range)
  const history = useQuery(historyQuery(search.dtype, range))
  return (
    <Panel
      title={t('history')}
      flush
      extra={
        <span className="row">
          <Segmented<Range>
            size="small"
            aria-label={t('range')}
            value={range}
            options={(Object.keys(days) as Range[]).map((value) => ({ value, label: t(value) }))}
            onChange={(value) => void navigate({ to: '/capacity', search: { ...search, range: value }, replace: true })}
          />
          <ExportButton
            size="small"
            fileName="medley-supply-history.csv"
            columns={csvColumns}
            collect={() => history.data?.items ?? []}
          />
        </span>
      }
    >
      <QueryView query={history}>{(page) => <History points={page.items} />}</QueryView>
    </Panel>
  )
}
