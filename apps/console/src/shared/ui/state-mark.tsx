import { defineMessages, useText } from '../../i18n/messages.ts'

/** The one vocabulary of states; shape and word carry it, colour only helps. */
export type State = 'healthy' | 'working' | 'waiting' | 'degraded' | 'failed' | 'held' | 'unknown' | 'simulated'

const words = defineMessages({
  healthy: { en: 'Healthy', 'zh-CN': '正常' },
  working: { en: 'Working', 'zh-CN': '进行中' },
  waiting: { en: 'Waiting', 'zh-CN': '等待' },
  degraded: { en: 'Degraded', 'zh-CN': '降级' },
  failed: { en: 'Failed', 'zh-CN': '故障' },
  held: { en: 'Held back', 'zh-CN': '停用' },
  unknown: { en: 'Unknown', 'zh-CN': '未知' },
  simulated: { en: 'Simulated', 'zh-CN': '模拟' },
})

const states: Readonly<Record<string, State>> = {
  healthy: 'healthy',
  ready: 'healthy',
  done: 'healthy',
  completed: 'healthy',
  working: 'working',
  starting: 'working',
  checking: 'working',
  restarting: 'working',
  stopping: 'working',
  fetching: 'working',
  running: 'working',
  waiting: 'waiting',
  pending: 'waiting',
  absent: 'waiting',
  stopped: 'waiting',
  skipped: 'waiting',
  aborted: 'waiting',
  degraded: 'degraded',
  interrupted: 'degraded',
  refused: 'degraded',
  noisy: 'degraded',
  failed: 'failed',
  lost: 'failed',
  unusable: 'failed',
  void: 'failed',
  connected: 'healthy',
  away: 'failed',
  revoked: 'held',
}

/** Any of the API's state words in the common vocabulary; a word we do not know is unknown, not healthy. */
export function stateOf(word: string): State {
  return states[word] ?? 'unknown'
}

function Shape({ state }: { readonly state: State }) {
  switch (state) {
    case 'healthy':
      return (
        <>
          <circle cx="7" cy="7" r="6.2" fill="currentColor" />
          <path d="M4 7.2l2.1 2.1L10 5.2" fill="none" stroke="var(--surface)" strokeWidth="1.7" />
        </>
      )
    case 'working':
      return (
        <>
          <circle cx="7" cy="7" r="5.3" fill="none" stroke="currentColor" strokeWidth="1.8" opacity="0.3" />
          <path className="spin" d="M7 1.7A5.3 5.3 0 0 1 12.3 7" fill="none" stroke="currentColor" strokeWidth="1.8" />
        </>
      )
    case 'waiting':
      return <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
    case 'degraded':
      return (
        <>
          <path d="M7 .8l6.4 11.6H.6z" fill="currentColor" />
          <path d="M7 5v3.6M7 9.7v1.3" stroke="var(--surface)" strokeWidth="1.5" />
        </>
      )
    case 'failed':
      return (
        <>
          <rect x="1" y="1" width="12" height="12" rx="2" fill="currentColor" />
          <path d="M4.3 4.3l5.4 5.4M9.7 4.3L4.3 9.7" stroke="var(--surface)" strokeWidth="1.7" />
        </>
      )
    case 'held':
      return (
        <>
          <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <path d="M3.4 10.6l7.2-7.2" stroke="currentColor" strokeWidth="1.6" />
        </>
      )
    case 'simulated':
      return (
        <>
          <rect x="1.5" y="1.5" width="11" height="11" fill="none" stroke="currentColor" strokeWidth="1.4" />
          <path d="M2 8l6-6M2 12.5L12.5 2M6 12.5L12.5 6" stroke="currentColor" strokeWidth="1.2" />
        </>
      )
    case 'unknown':
      return (
        <>
          <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeWidth="1.4" strokeDasharray="2.4 2" />
          <circle cx="7" cy="7" r="1.3" fill="currentColor" />
        </>
      )
  }
}

interface StateMarkProps {
  readonly state: State
  /** The thing's own word for it, when it says more than the common vocabulary. */
  readonly label?: string
  /** Where the text beside it already says it: the shape alone, the word for screen readers. */
  readonly shapeOnly?: boolean
}

export function StateMark({ state, label, shapeOnly = false }: StateMarkProps) {
  const t = useText(words)
  return (
    <span className={`state ${state}`}>
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <Shape state={state} />
      </svg>
      <span className={shapeOnly ? 'vh' : ''}>{label ?? t(state)}</span>
    </span>
  )
}
