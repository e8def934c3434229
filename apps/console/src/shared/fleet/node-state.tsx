import { defineMessages, useText } from '../../i18n/messages.ts'
import type { Node } from '../api/types.ts'
import { type State, StateMark } from '../ui/state-mark.tsx'

const words = defineMessages({
  connected: { en: 'Connected', 'zh-CN': '在线' },
  away: { en: 'Away', 'zh-CN': '失联' },
  revoked: { en: 'Revoked', 'zh-CN': '已吊销' },
  cordoned: { en: 'Cordoned', 'zh-CN': '停止调度' },
  draining: { en: 'Draining', 'zh-CN': '排空中' },
  drained: { en: 'Drained', 'zh-CN': '已排空' },
  maintenance: { en: 'In maintenance', 'zh-CN': '维护中' },
})

const marks: Readonly<Record<Node['state'], State>> = { connected: 'healthy', away: 'failed', revoked: 'held' }

function useNodeStateWord(): (state: keyof typeof words) => string {
  return useText(words)
}

/** Whether it is there, and everything that keeps work from it. */
export function NodeStateMark({
  node,
}: {
  readonly node: Pick<Node, 'state' | 'cordon' | 'maintenance' | 'simulated'>
}) {
  const word = useNodeStateWord()
  const cordon = node.cordon?.state ?? 'open'
  return (
    <>
      <StateMark state={marks[node.state]} label={word(node.state)} />
      {cordon === 'open' ? null : <StateMark state={cordon === 'draining' ? 'working' : 'held'} label={word(cordon)} />}
      {node.maintenance === null ? null : <StateMark state="held" label={word('maintenance')} />}
      {node.simulated ? <StateMark state="simulated" /> : null}
    </>
  )
}
