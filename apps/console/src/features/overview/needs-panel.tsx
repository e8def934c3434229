import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import { Panel } from '../../shared/ui/panel.tsx'
import { type State, StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import type { Need } from './needs.ts'
import { overviewMessages } from './overview.messages.ts'

function useNeedText() {
  const t = useText(overviewMessages)
  const sentence = useCoded()
  return (need: Need): string => {
    switch (need.kind) {
      case 'step':
        // The start-up panel of the same page says why and what to do.
        return t('stepNeeds', { step: t(`step_${need.step}`) })
      case 'chip': {
        const reason = need.why === null ? t('chipNoReason', { health: need.health }) : sentence(need.why)
        return t('chipNeeds', { name: need.name, reason })
      }
      case 'score':
        return t('scoreNeeds', {
          event: t(need.event),
          name: need.name,
          reason: need.why === null ? '—' : sentence(need.why),
        })
      case 'deployment':
        return t('deploymentNeeds', { name: need.name, state: need.state })
      case 'model':
        return t('modelNeeds', { name: need.name })
    }
  }
}

function NeedLink({ need, text }: { readonly need: Need; readonly text: string }) {
  switch (need.kind) {
    case 'chip':
      return (
        <Link to="/chips/$chipId" params={{ chipId: need.chipId }}>
          {text}
        </Link>
      )
    case 'score':
      return (
        <Link to="/records/$recordId" params={{ recordId: need.recordId }}>
          {text}
        </Link>
      )
    case 'deployment':
      return (
        <Link to="/deployments/$deploymentId" params={{ deploymentId: need.deploymentId }}>
          {text}
        </Link>
      )
    case 'model':
      return <Link to="/models">{text}</Link>
    case 'step':
      return <span>{text}</span>
  }
}

function severity(need: Need): State {
  if (need.kind === 'score') return 'degraded'
  if (need.kind === 'chip') return stateOf(need.health)
  return need.kind === 'deployment' ? stateOf(need.state) : 'failed'
}

export function NeedsPanel({ needs }: { readonly needs: readonly Need[] }) {
  const t = useText(overviewMessages)
  const text = useNeedText()
  return (
    <Panel title={t('person')} flush>
      {needs.length === 0 ? (
        <p className="line muted">{t('nobody')}</p>
      ) : (
        <ul>
          {needs.slice(0, 5).map((need) => (
            <li key={`${need.kind} ${need.key}`} className="line need">
              <StateMark state={severity(need)} shapeOnly />
              <NeedLink need={need} text={text(need)} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
