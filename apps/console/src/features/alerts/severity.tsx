import { useText } from '../../i18n/messages.ts'
import type { Alert } from '../../shared/api/types.ts'
import { type State, StateMark } from '../../shared/ui/state-mark.tsx'
import { alertMessages } from './alerts.messages.ts'

const marks: Readonly<Record<Alert['severity'], State>> = { critical: 'failed', warning: 'degraded', info: 'waiting' }

export function SeverityMark({ severity }: { readonly severity: Alert['severity'] }) {
  const t = useText(alertMessages)
  return <StateMark state={marks[severity]} label={t(severity)} />
}
