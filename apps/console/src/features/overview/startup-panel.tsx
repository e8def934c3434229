import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import type { StartupStep } from '../../shared/api/types.ts'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProgressBar, useProgressText } from '../../shared/ui/progress.tsx'
import { Prose } from '../../shared/ui/prose.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { isBlocked } from './needs.ts'
import { overviewMessages } from './overview.messages.ts'

function Step({ step }: { readonly step: StartupStep }) {
  const t = useText(overviewMessages)
  const sentence = useCoded()
  const progress = useProgressText()
  const name = t(`step_${step.step}`)
  const shown = isBlocked(step) ? 'waiting' : step.state
  // The sentence says what to do; why each source failed is for whoever wants to mend one of them.
  const technical = step.detail?.code === 'registry.model.unobtainable' ? (step.detail.params.detail ?? null) : null
  return (
    <li className={`startup-step ${shown}`} aria-current={step.state === 'working' ? 'step' : undefined}>
      <StateMark state={stateOf(shown)} label={t(`state_${shown}`)} />
      <strong>{name}</strong>
      {step.state === 'working' ? (
        <>
          <ProgressBar progress={step} label={name} />
          <span className="small muted num">{progress(step)}</span>
        </>
      ) : null}
      {step.detail === null ? null : (
        <span className="small muted startup-why">
          <Prose text={sentence(step.detail)} />
        </span>
      )}
      {technical === null ? null : (
        <details className="small muted">
          <summary>{t('tried')}</summary>
          <pre>{technical}</pre>
        </details>
      )}
    </li>
  )
}

/** The four steps from an empty machine to an answer; gone once all are done. */
export function StartupPanel({ steps }: { readonly steps: readonly StartupStep[] }) {
  const t = useText(overviewMessages)
  return (
    <Panel title={t('startup')} flush>
      <ol className="startup">
        {steps.map((step) => (
          <Step key={step.step} step={step} />
        ))}
      </ol>
    </Panel>
  )
}
