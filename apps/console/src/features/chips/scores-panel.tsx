import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { AxisScore, Chip } from '../../shared/api/types.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ScoreRuler } from '../../shared/ui/score-ruler.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { chipMessages } from './chips.messages.ts'

const marks = { partial: 'waiting', noisy: 'degraded', void: 'failed' } as const

/** A request is prefilled before it is decoded: the same order everywhere. */
export function inOrder(axes: readonly AxisScore[]): readonly AxisScore[] {
  return axes.toSorted((left, right) => Number(left.event === 'decode') - Number(right.event === 'decode'))
}

export function AxisCard({ axis, linked }: { readonly axis: AxisScore; readonly linked: boolean }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const format = useFormat()
  // Where there is no number the ruler says the first reason in its place.
  const [first, ...others] = axis.reasons
  const more = axis.score === null ? others : axis.reasons
  const reason = first === undefined ? t('noNumber') : sentence(first)
  return (
    <div className="axis-card">
      <div className="row between">
        <h3>{t(axis.event)}</h3>
        <StateMark state={marks[axis.state]} label={t(axis.state)} />
      </div>
      <ScoreRuler name={t(axis.event)} score={axis.score} low={axis.low} high={axis.high} reason={reason} large />
      {axis.state === 'partial' || more.length === 0 ? null : (
        <ul className="small muted">
          {more.map((entry) => (
            <li key={entry.code}>{sentence(entry)}</li>
          ))}
        </ul>
      )}
      <dl className="axis-facts">
        <div>
          <dt>{t('efficiency')}</dt>
          <dd className="num">
            {axis.efficiency === null ? (
              <Unknown reason={reason} />
            ) : (
              t('efficiencyOf', { share: format.percent(axis.efficiency) })
            )}
          </dd>
        </div>
        <div>
          <dt>{t('speed')}</dt>
          <dd className="num">
            {axis.tokensPerSecond === null ? (
              <Unknown reason={reason} />
            ) : (
              format.measure(axis.tokensPerSecond, 'tok/s')
            )}
          </dd>
        </div>
        <div>
          <dt>{t('measured')}</dt>
          <dd>
            <When iso={axis.measuredAt} />
          </dd>
        </div>
      </dl>
      {linked ? (
        <Link to="/records/$recordId" params={{ recordId: axis.recordId }}>
          {t('evidence')}
          <span className="vh">: {t(axis.event)}</span>
        </Link>
      ) : null}
    </div>
  )
}

export function ScoresPanel({ chip }: { readonly chip: Chip }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const format = useFormat()
  const axes = inOrder(Object.values(chip.score.axes))
  const reason = sentence({ code: chip.score.reason ?? 'full_suites_not_run', params: {} })
  return (
    <Panel title={t('scores')} flush>
      {axes.length === 0 ? (
        <Empty title={t('noScoresTitle')}>{t(chip.facts.simulated ? 'noScoresSimulated' : 'noScoresNext')}</Empty>
      ) : (
        <div className="axes">
          {axes.map((axis) => (
            <AxisCard key={axis.event} axis={axis} linked />
          ))}
        </div>
      )}
      <p className="fitness">
        <span className="muted">{t('fitness')}</span>{' '}
        {chip.score.fitness === null ? (
          <>
            <Unknown reason={reason} /> <span className="muted small">{reason}</span>
          </>
        ) : (
          <strong className="num">{format.score(chip.score.fitness)}</strong>
        )}
      </p>
    </Panel>
  )
}
