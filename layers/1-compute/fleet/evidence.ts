import type { Localized } from '@medley/kernel'

/**
 * Texts of the codes that the fleet adds to those of the drivers: in the evidence of a state or event and in the
 * reason of a quarantine. `{name}` is replaced by the parameter of that name.
 */
export const fleetEvidence = {
  'node-away': {
    en: 'Nobody has looked: the node {node} is away',
    'zh-CN': '节点 {node} 已失联，状态无从得知',
  },
  'node-revoked': { en: 'The node {node} was revoked', 'zh-CN': '节点 {node} 已被吊销' },
  disappeared: {
    en: 'The chip went away while the agent was running',
    'zh-CN': '代理运行期间该芯片消失',
  },
  'not-reported': {
    en: 'The agent started and did not find the chip again',
    'zh-CN': '代理启动后没有再发现该芯片',
  },
  'claimed-by': {
    en: 'The node {rival} reports the same chip; it stays with {holder}. Is one host a clone of the other?',
    'zh-CN': '节点 {rival} 也上报了同一颗芯片；芯片仍归属 {holder}。请检查两台主机是否互为克隆',
  },
  'held-elsewhere': {
    en: 'A node of another owner holds this chip; it is not counted here. Is this host a clone of another?',
    'zh-CN': '该芯片已归属其他所有者的节点，不计入本节点。请检查本机是否为其他主机的克隆',
  },
  'claimed-elsewhere': {
    en: 'A node of another owner reports the same chip; it stays here',
    'zh-CN': '其他所有者的节点也上报了同一颗芯片；芯片仍归属本节点',
  },
  'changes-lost': {
    en: 'Changes on this node before {before} were more than its agent keeps; the oldest are not known',
    'zh-CN': '该节点在 {before} 之前的状态变化超出代理的保存上限，较早的变化已无从得知',
  },
  'not-read-yet': {
    en: 'The agent has started and its driver has not answered yet',
    'zh-CN': '代理刚启动，对应驱动尚未返回结果',
  },
  'repeated-faults': { en: '{count} faults within {hours} hours', 'zh-CN': '{hours} 小时内出现 {count} 次故障' },
  'by-person': { en: '{reason}', 'zh-CN': '{reason}' },
} as const satisfies Readonly<Record<string, Localized>>

export type FleetEvidenceCode = keyof typeof fleetEvidence
