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
  'repeated-faults': { en: '{count} faults within {hours} hours', 'zh-CN': '{hours} 小时内出现 {count} 次故障' },
  'by-person': { en: '{reason}', 'zh-CN': '{reason}' },
} as const satisfies Readonly<Record<string, Localized>>

export type FleetEvidenceCode = keyof typeof fleetEvidence
