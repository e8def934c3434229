import { defineMessages, useText } from '../../i18n/messages.ts'

const words = defineMessages({
  pending: { en: 'Pending', 'zh-CN': '排队' },
  starting: { en: 'Starting', 'zh-CN': '启动中' },
  checking: { en: 'Checking', 'zh-CN': '校验中' },
  ready: { en: 'Ready', 'zh-CN': '就绪' },
  degraded: { en: 'Degraded', 'zh-CN': '降级' },
  failed: { en: 'Failed', 'zh-CN': '故障' },
  stopped: { en: 'Stopped', 'zh-CN': '已停止' },
  restarting: { en: 'Restarting', 'zh-CN': '重启中' },
  stopping: { en: 'Stopping', 'zh-CN': '停止中' },
  done: { en: 'Done', 'zh-CN': '完成' },
  absent: { en: 'Not fetched', 'zh-CN': '未获取' },
  fetching: { en: 'Fetching', 'zh-CN': '获取中' },
})

function isKnown(state: string): state is keyof typeof words {
  return Object.hasOwn(words, state)
}

/** The reader's word for a state of a deployment, replica or model; an unknown one is shown as it is. */
export function useStateWord(): (state: string) => string {
  const t = useText(words)
  return (state) => (isKnown(state) ? t(state) : state)
}
