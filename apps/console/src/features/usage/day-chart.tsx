import { useFormat } from '../../i18n/format.ts'
import type { DayUsage } from './last-days.ts'

const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10] as const

/** The next round number at or above `value`, so that the axis ends on a label worth reading. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1
  const magnitude = 10 ** Math.floor(Math.log10(value))
  const step = steps.find((candidate) => candidate * magnitude >= value) ?? 10
  return step * magnitude
}

const plot = { top: 18, bottom: 24, height: 190 } as const

/** Bars from zero, each with its figure. */
export function DayChart({ label, days }: { readonly label: string; readonly days: readonly DayUsage[] }) {
  const format = useFormat()
  const top = niceCeiling(Math.max(...days.map((day) => day.completionTokens)))
  const base = plot.height - plot.bottom
  const y = (value: number) => base - (value / top) * (base - plot.top)
  const slot = 100 / days.length
  return (
    <svg className="day-chart" role="img" aria-label={label} height={plot.height}>
      {[0, top / 2, top].map((value) => (
        <line key={value} className="grid" x1="0" x2="100%" y1={y(value)} y2={y(value)} />
      ))}
      {days.map((day, index) => (
        <g key={day.day}>
          <rect
            x={`${index * slot + slot * 0.2}%`}
            width={`${slot * 0.6}%`}
            y={y(day.completionTokens)}
            height={Math.max(base - y(day.completionTokens), 0)}
            rx="2"
          />
          <text className="figure" x={`${(index + 0.5) * slot}%`} y={y(day.completionTokens) - 5} textAnchor="middle">
            {format.compact(day.completionTokens)}
          </text>
          <text x={`${(index + 0.5) * slot}%`} y={plot.height - 6} textAnchor="middle">
            {format.date(`${day.day}T12:00:00Z`)}
          </text>
        </g>
      ))}
    </svg>
  )
}
