import { useText } from '../../i18n/messages.ts'
import { modelMessages } from './models.messages.ts'

type StateKey = Extract<keyof typeof modelMessages, `state_${string}`>

function isStateKey(key: string): key is StateKey {
  return Object.hasOwn(modelMessages, key)
}

/** The reader's word for a state of a deployment, replica or model; an unknown one is shown as it is. */
export function useStateWord(): (state: string) => string {
  const t = useText(modelMessages)
  return (state) => {
    const key = `state_${state}`
    return isStateKey(key) ? t(key) : state
  }
}
