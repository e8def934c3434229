import { useMemo } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import type { Gap, MetricDefinition, Series } from '../../shared/api/types.ts'
import { Chart } from '../../shared/chart/chart.tsx'
import { type ChartStyle, useChartStyle } from '../../shared/chart/chart-style.ts'
import type { ChartOption } from '../../shared/chart/echart.tsx'
import { readingMessages } from './readings.messages.ts'
import { linePoints, type Point, type Range } from './series.ts'

export type Show = (value: number) => string

/** How values of a unit are written. */
export function useShow(unit: string): Show {
  const format = useFormat()
  if (unit === 'ratio') return format.percent
  if (unit === 'bytes') return format.bytes
  if (unit === 'celsius') return (value) => format.measure(value, '°C')
  if (unit === 'watts') return (value) => format.measure(value, 'W')
  return (value) => format.exact(value)
}

interface Frame {
  readonly fromMs: number
  readonly toMs: number
  readonly gaps: readonly Gap[]
  readonly simulated: boolean
  readonly axisTime: (atMs: number) => string
  readonly fullTime: (atMs: number) => string
}

/** Times in which nobody looked, as hatched bands behind the line. */
function gapAreas({ gaps, fromMs, toMs }: Frame, style: ChartStyle) {
  return {
    silent: true,
    itemStyle: { color: style.hatch, opacity: 0.5 },
    data: gaps.map((gap) => [
      { xAxis: Math.max(Date.parse(gap.from), fromMs) },
      { xAxis: Math.min(Date.parse(gap.to), toMs) },
    ]) as [{ xAxis: number }, { xAxis: number }][],
  }
}

/** Round steps where the chart's own would not be: shares in quarters, bytes in powers of two. */
function axisSteps(unit: string, points: readonly Point[]) {
  if (unit === 'ratio') return { max: 1, interval: 0.25 }
  if (unit !== 'bytes') return {}
  const highest = Math.max(1, ...points.map(([, , mean, high]) => high ?? mean ?? 0))
  const interval = 2 ** Math.ceil(Math.log2(highest / 4))
  return { interval, max: Math.ceil(highest / interval) * interval }
}

function optionOf(series: Series, frame: Frame, style: ChartStyle, show: Show, meanName: string): ChartOption {
  const points = linePoints(series)
  const colour = style.colours[0]
  const hasBand = points.some(([, low, , high]) => low !== null && high !== null && high > low)
  const band = (name: string, data: readonly (readonly [number, number | null])[], filled: boolean) => ({
    name,
    type: 'line' as const,
    stack: 'band',
    silent: true,
    symbol: 'none',
    lineStyle: { opacity: 0 },
    ...(filled ? { areaStyle: { color: colour, opacity: 0.2 } } : {}),
    tooltip: { show: false },
    data: data as [number, number | null][],
  })
  return {
    grid: { left: 62, right: 12, top: 10, bottom: 26 },
    xAxis: {
      type: 'time',
      min: frame.fromMs,
      max: frame.toMs,
      ...style.axis,
      splitLine: { show: false },
      splitNumber: 4,
      axisLabel: { ...style.axis.axisLabel, formatter: frame.axisTime, hideOverlap: true },
    },
    yAxis: {
      type: 'value',
      min: 0,
      ...axisSteps(series.unit, points),
      splitNumber: 3,
      ...style.axis,
      axisLabel: { ...style.axis.axisLabel, formatter: show },
    },
    tooltip: {
      trigger: 'axis',
      ...style.tooltip,
      valueFormatter: (value) => (typeof value === 'number' ? show(value) : '—'),
      axisPointer: { label: { formatter: ({ value }: { value: unknown }) => frame.fullTime(Number(value)) } },
    },
    series: [
      ...(hasBand
        ? [
            band(
              'low',
              points.map(([at, low]) => [at, low]),
              false,
            ),
            band(
              'high',
              points.map(([at, low, , high]) => [at, low === null || high === null ? null : high - low]),
              true,
            ),
          ]
        : []),
      {
        name: meanName,
        type: 'line',
        symbol: 'none',
        lineStyle: { color: colour, width: 1.6, ...(frame.simulated ? { type: 'dashed' as const } : {}) },
        itemStyle: { color: colour },
        connectNulls: false,
        data: points.map(([at, , mean]) => [at, mean]) as [number, number | null][],
        markArea: gapAreas(frame, style),
      },
    ],
  }
}

interface ReadingChartProps {
  readonly metric: MetricDefinition
  readonly series: Series | undefined
  readonly range: Range
  readonly fromMs: number
  readonly toMs: number
  readonly gaps: readonly Gap[]
  readonly simulated: boolean
}

/** One metric over time from zero, with its latest value beside the name. */
export function ReadingChart({ metric, series, range, fromMs, toMs, gaps, simulated }: ReadingChartProps) {
  const t = useText(readingMessages)
  const { locale } = useLocale()
  const format = useFormat()
  const style = useChartStyle()
  const show = useShow(metric.unit)
  const title = metric.title[locale]
  const option = useMemo(() => {
    if (series === undefined) return null
    const short = new Intl.DateTimeFormat(
      locale,
      range === '1h' || range === '24h'
        ? { hour: '2-digit', minute: '2-digit', hour12: false }
        : { month: 'numeric', day: 'numeric' },
    )
    const frame: Frame = {
      fromMs,
      toMs,
      gaps,
      simulated,
      axisTime: (atMs) => short.format(atMs),
      fullTime: (atMs) => format.time(new Date(atMs).toISOString()),
    }
    return optionOf(series, frame, style, show, title)
  }, [series, range, fromMs, toMs, gaps, simulated, style, show, title, locale, format])
  const latest = series?.points.findLast(([, , mean]) => mean !== null)?.[2] ?? null
  return (
    <figure className="reading">
      <figcaption className="row between">
        <span className="strong">{title}</span>
        {latest === null ? (
          <span className="muted small">{t('none')}</span>
        ) : (
          <span className="num">
            <span className="small muted">{t('latest')} </span>
            {show(latest)}
          </span>
        )}
      </figcaption>
      {option === null || latest === null ? (
        <div className="reading-none" />
      ) : (
        <Chart option={option} height={168} group="readings" label={t('chart', { metric: title, range: t(range) })} />
      )}
    </figure>
  )
}
