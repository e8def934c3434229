import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Segmented } from 'antd'
import { useMemo } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { metricsQuery } from '../../shared/api/queries.ts'
import type { Chip, MetricDefinition, Series } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { type Readings, readingsQuery, shownMetrics } from './api.ts'
import { ReadingChart, useShow } from './reading-chart.tsx'
import { readingMessages } from './readings.messages.ts'
import { gapsIn, type Range, type ReadingRow, ranges, readingRows } from './series.ts'

const tableRows = 60

function csvColumns(chip: Chip, metrics: readonly MetricDefinition[]): readonly CsvColumn<ReadingRow>[] {
  return [
    ['at', (row) => new Date(row.atMs).toISOString()],
    ['chip_uuid', () => chip.facts.uuid],
    ['simulated', () => chip.facts.simulated],
    ...metrics.map(
      (metric): CsvColumn<ReadingRow> => [
        `${metric.name}_${metric.unit}`.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        (row) => row.values[metric.name] ?? null,
      ],
    ),
  ]
}

function Value({ unit, value }: { readonly unit: string; readonly value: number | null }) {
  const t = useText(readingMessages)
  const show = useShow(unit)
  return value === null ? <Unknown reason={t('none')} /> : <span className="num">{show(value)}</span>
}

function Table({
  chip,
  series,
  metrics,
}: {
  chip: Chip
  series: readonly Series[]
  metrics: readonly MetricDefinition[]
}) {
  const t = useText(readingMessages)
  const { locale } = useLocale()
  const format = useFormat()
  const rows = useMemo(() => readingRows(series), [series])
  return (
    <details className="quiet-details reading-table">
      <summary>{t('table')}</summary>
      <div className="row between">
        <span className="small muted">{t('last', { count: format.count(tableRows) })}</span>
        <ExportButton
          size="small"
          fileName="medley-readings.csv"
          columns={csvColumns(chip, metrics)}
          collect={() => rows}
        />
      </div>
      <DataTable
        caption={t('title')}
        rows={rows.slice(-tableRows).toReversed()}
        rowKey={(row) => String(row.atMs)}
        columns={[
          { key: 'time', title: t('time'), render: (row) => format.time(new Date(row.atMs).toISOString()) },
          ...metrics.map((metric) => ({
            key: metric.name,
            title: metric.title[locale],
            align: 'right' as const,
            render: (row: ReadingRow) => <Value unit={metric.unit} value={row.values[metric.name] ?? null} />,
          })),
        ]}
      />
    </details>
  )
}

function Gaps({ readings }: { readonly readings: Readings }) {
  const t = useText(readingMessages)
  const format = useFormat()
  const gaps = gapsIn(readings.series, readings.fromMs, readings.toMs)
  return (
    <div className="reading-gaps small">
      <span className="row muted">
        <span className="gap-swatch hatch" /> {gaps.length === 0 ? t('noGaps') : t('gaps')}
      </span>
      <ul>
        {gaps.map((gap) => (
          <li key={`${gap.from} ${gap.reason}`}>
            {t('gapLine', {
              from: format.time(gap.from),
              length: format.span((Date.parse(gap.to) - Date.parse(gap.from)) / 1000),
              why: t(gap.reason),
            })}
          </li>
        ))}
      </ul>
    </div>
  )
}

function Content({
  chip,
  readings,
  range,
}: {
  readonly chip: Chip
  readonly readings: Readings
  readonly range: Range
}) {
  const t = useText(readingMessages)
  const catalogue = useQuery(metricsQuery).data?.items
  const gaps = useMemo(() => gapsIn(readings.series, readings.fromMs, readings.toMs), [readings])
  const metrics = (catalogue ?? []).filter((metric) => shownMetrics.some((name) => name === metric.name))
  if (readings.series.every(({ points }) => points.length === 0)) {
    return <Empty title={t('nothing')}>{t('nothingNext')}</Empty>
  }
  return (
    <>
      <p className="small muted reading-note">{t(ranges[range].resolution)}</p>
      <div className="reading-grid">
        {metrics.map((metric) => (
          <ReadingChart
            key={metric.name}
            metric={metric}
            series={readings.series.find((series) => series.metric === metric.name)}
            range={range}
            fromMs={readings.fromMs}
            toMs={readings.toMs}
            gaps={gaps}
            simulated={chip.facts.simulated}
          />
        ))}
      </div>
      <Gaps readings={readings} />
      <Table chip={chip} series={readings.series} metrics={metrics} />
    </>
  )
}

/** What the chip's sensors said over the chosen time. */
export function ReadingsPanel({ chip, range }: { readonly chip: Chip; readonly range: Range }) {
  const t = useText(readingMessages)
  const navigate = useNavigate()
  // While another range loads the old lines stay: nothing jumps.
  const readings = useQuery({ ...readingsQuery(chip.id, range), placeholderData: keepPreviousData })
  return (
    <section className={chip.facts.simulated ? 'panel hatch' : 'panel'} aria-label={t('title')}>
      <header>
        <h2 className="row">
          {t('title')}
          {chip.facts.simulated ? <StateMark state="simulated" label={t('simulated')} /> : null}
        </h2>
        <Segmented
          size="small"
          aria-label={t('range')}
          value={range}
          options={Object.keys(ranges).map((value) => ({
            value,
            label: t(value === '1h' || value === '7d' || value === '30d' ? value : '24h'),
          }))}
          onChange={(value) =>
            void navigate({
              to: '/chips/$chipId',
              params: { chipId: chip.id },
              search: (old) => ({ ...old, range: String(value) }),
              replace: true,
            })
          }
        />
      </header>
      <QueryView query={readings}>{(data) => <Content chip={chip} readings={data} range={range} />}</QueryView>
    </section>
  )
}
