import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import type { AxisScore, Chip, Status } from '../../shared/api/types.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ScoreRuler } from '../../shared/ui/score-ruler.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { overviewMessages } from './overview.messages.ts'

function Axis({ event, axis }: { readonly event: 'prefill' | 'decode'; readonly axis: AxisScore | undefined }) {
  const t = useText(overviewMessages)
  const sentence = useCoded()
  const why = axis?.reasons[0]
  const reason = why === undefined ? t('noScore') : sentence(why)
  return (
    <div className="chip-axis">
      <div className="row between small">
        <span>
          {t(event)}
          {axis?.state === 'partial' ? <span className="muted"> · {t('partial')}</span> : null}
        </span>
        {axis === undefined ? null : (
          <Link to="/records/$recordId" params={{ recordId: axis.recordId }}>
            {t('evidence')}
            <span className="vh"> {t(event)}</span>
          </Link>
        )}
      </div>
      <ScoreRuler
        name={t(event)}
        score={axis?.score ?? null}
        low={axis?.low ?? null}
        high={axis?.high ?? null}
        reason={reason}
      />
    </div>
  )
}

function ChipRow({ chip }: { readonly chip: Chip }) {
  return (
    <li className={chip.facts.simulated ? 'chip-row hatch' : 'chip-row'}>
      <div className="chip-name">
        <Link to="/chips/$chipId" params={{ chipId: chip.id }}>
          {chip.facts.product}
        </Link>
        <span className="row small">
          <StateMark state={stateOf(chip.facts.health)} />
          {chip.facts.simulated ? <StateMark state="simulated" /> : null}
          <span className="muted">{chip.nodeName}</span>
        </span>
      </div>
      <Axis event="prefill" axis={chip.score.axes.prefill} />
      <Axis event="decode" axis={chip.score.axes.decode} />
    </li>
  )
}

export function ChipsPanel({ chips, status }: { readonly chips: readonly Chip[]; readonly status: Status }) {
  const t = useText(overviewMessages)
  const sentence = useCoded()
  const reason = sentence({ code: status.score.reason ?? 'full_suites_not_run', params: {} })
  return (
    <Panel title={t('chips')} flush extra={<Link to="/chips">{t('allChips')}</Link>}>
      {chips.length === 0 ? (
        <Empty title={t('noChips')}>{t('noChipsNext', { command: 'npx medley doctor' })}</Empty>
      ) : (
        <>
          <ul>
            {chips.slice(0, 5).map((chip) => (
              <ChipRow key={chip.id} chip={chip} />
            ))}
          </ul>
          <p className="chip-foot small muted">
            {t('fitness')} {status.score.fitness === null ? <Unknown reason={reason} /> : status.score.fitness}
            {status.score.fitness === null ? <span> · {reason}</span> : null}
          </p>
        </>
      )}
    </Panel>
  )
}
