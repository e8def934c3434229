import './score-ruler.css'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { Unknown } from './unknown.tsx'

const messages = defineMessages({
  reading: {
    en: '{name}: {score} of 100, 95 % interval {low} to {high}',
    'zh-CN': '{name}：{score} 分（满分 100），95% 区间 {low} 至 {high}',
  },
  interval: { en: '95 % interval {low}–{high}', 'zh-CN': '95% 区间 {low}–{high}' },
})

export interface ScoreRulerProps {
  readonly name: string
  readonly score: number | null
  readonly low: number | null
  readonly high: number | null
  /** Why there is no number, when there is none. */
  readonly reason: string
  readonly large?: boolean
  /** Makes the number a link to the record it comes from. */
  readonly recordId?: string
}

const ticks = [0, 25, 50, 75, 100] as const

/** A score from 0 to 100 as a reading on a ruler: the needle is the score, the band its 95 % interval. */
export function ScoreRuler({ name, score, low, high, reason, large = false, recordId }: ScoreRulerProps) {
  const t = useText(messages)
  const format = useFormat()
  if (score === null) {
    return (
      <div className="ruler">
        {recordId === undefined ? (
          <span className="muted small">{reason}</span>
        ) : (
          <Link to="/records/$recordId" params={{ recordId }} className="small">
            {reason}
          </Link>
        )}
        <span className="value">
          <Unknown reason={reason} />
        </span>
      </div>
    )
  }
  const from = low ?? score
  const to = high ?? score
  const interval = { low: format.score(from), high: format.score(to) }
  const height = large ? 14 : 10
  const percent = (value: number) => `${value}%`
  return (
    <div className={large ? 'ruler large' : 'ruler'}>
      <svg role="img" aria-label={t('reading', { name, score: format.score(score), ...interval })}>
        <rect className="track" x="0" y="4" width="100%" height={height} rx="2" />
        <rect className="fill" x="0" y="4" width={percent(score)} height={height} rx="2" />
        <rect className="band" x={percent(from)} y="4" width={percent(Math.max(to - from, 0.4))} height={height} />
        {ticks.slice(1, -1).map((tick) => (
          <line key={tick} className="tick" x1={percent(tick)} x2={percent(tick)} y1={height + 4} y2={height + 8} />
        ))}
        <line className="needle" x1={percent(score)} x2={percent(score)} y1="1" y2={height + 7} />
        {large
          ? ticks.map((tick) => (
              <text
                key={tick}
                x={percent(tick)}
                y={height + 22}
                textAnchor={tick === 0 ? 'start' : tick === 100 ? 'end' : 'middle'}
              >
                {tick}
              </text>
            ))
          : null}
      </svg>
      <span className="value num">
        {recordId === undefined ? (
          format.score(score)
        ) : (
          <Link to="/records/$recordId" params={{ recordId }}>
            {format.score(score)}
          </Link>
        )}
      </span>
      <span className="note num">{t('interval', interval)}</span>
    </div>
  )
}
