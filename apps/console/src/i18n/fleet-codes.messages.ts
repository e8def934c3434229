import type { Message } from './messages.ts'

/** Sentences for what the fleet and its alerts say; see `codes.messages.ts`. */
export const fleetCodeSentences: Readonly<Record<string, Message>> = {
  disappeared: {
    en: 'It fell off the bus while its agent ran on',
    'zh-CN': '代理运行期间，它从总线上消失了',
  },
  'not-reported': {
    en: 'It was not there when the agent started: pulled, moved, or its driver is slow',
    'zh-CN': '代理启动时没有看到它：可能已拔出、移走，或驱动还没就绪',
  },
  'node-away': {
    en: 'Nobody can look: node {node} is away',
    'zh-CN': '无法观测：节点 {node} 失联',
  },
  'node-revoked': { en: 'Its node {node} was revoked', 'zh-CN': '所在节点 {node} 已被吊销' },
  'repeated-faults': {
    en: '{count} faults within {hours} h; only a person releases it',
    'zh-CN': '{hours} 小时内出了 {count} 次故障，需人工解除',
  },
  'claimed-by': {
    en: 'Node {rival} reports it too, while {holder} holds it: two machines show the same serial number',
    'zh-CN': '节点 {rival} 也上报了它，而它归 {holder} 所有：两台机器报出了同一序列号',
  },
  'held-elsewhere': {
    en: 'A node of another owner holds it, so it is not counted here: two machines show the same serial number',
    'zh-CN': '它归其他所有者的节点所有，不计入本节点：两台机器报出了同一序列号',
  },
  'claimed-elsewhere': {
    en: 'A node of another owner reports it too; it stays here',
    'zh-CN': '其他所有者的节点也上报了它，它仍归本节点',
  },
  'changes-lost': {
    en: 'What happened on this node before {before} is not fully known: its agent could not keep it all',
    'zh-CN': '该节点在 {before} 之前的变化不完整：超出了代理的保存上限',
  },
  'not-read-yet': {
    en: 'Its agent has started and the driver has not answered yet',
    'zh-CN': '代理刚启动，驱动还没有返回结果',
  },
  'by-person': { en: 'Said by an operator: {reason}', 'zh-CN': '操作员说明：{reason}' },
  'alerting.node.away': { en: 'Node {node} does not answer', 'zh-CN': '节点 {node} 没有响应' },
  'alerting.chip.state': { en: 'The chip is “{state}”', 'zh-CN': '芯片状态为“{state}”' },
  'alerting.driver.drift': {
    en: 'Driver {version}; most {product} have {usual}',
    'zh-CN': '驱动为 {version}，而多数 {product} 是 {usual}',
  },
  'alerting.metric.above': {
    en: '{metric} is {value}, above {threshold}',
    'zh-CN': '{metric}为 {value}，高于 {threshold}',
  },
  'alerting.metric.below': {
    en: '{metric} is {value}, below {threshold}',
    'zh-CN': '{metric}为 {value}，低于 {threshold}',
  },
  'alerting.metric.increased-by': {
    en: '{metric} rose by {value}, more than {threshold}',
    'zh-CN': '{metric}增加了 {value}，超过 {threshold}',
  },
}

/** Words for parameters that are names of ours. */
export const fleetParameterWords: Readonly<Record<string, Readonly<Record<string, Message>>>> = {
  state: {
    healthy: { en: 'healthy', 'zh-CN': '正常' },
    degraded: { en: 'degraded', 'zh-CN': '降级' },
    lost: { en: 'lost', 'zh-CN': '掉卡' },
    unusable: { en: 'unusable', 'zh-CN': '不可用' },
    'no-driver': { en: 'no driver', 'zh-CN': '缺驱动' },
    absent: { en: 'missing', 'zh-CN': '不在位' },
    unknown: { en: 'unknown', 'zh-CN': '未知' },
  },
  metric: {
    utilizationRatio: { en: 'Utilisation', 'zh-CN': '利用率' },
    memoryUsedBytes: { en: 'Memory used', 'zh-CN': '已用显存' },
    temperatureCelsius: { en: 'Temperature (°C)', 'zh-CN': '温度（°C）' },
    memoryTemperatureCelsius: { en: 'Memory temperature (°C)', 'zh-CN': '显存温度（°C）' },
    powerWatts: { en: 'Power (W)', 'zh-CN': '功耗（W）' },
    cardPowerWatts: { en: 'Power of the card (W)', 'zh-CN': '整卡功耗（W）' },
    eccErrorsUncorrected: { en: 'Count of uncorrected ECC errors', 'zh-CN': '不可纠正 ECC 错误数' },
    eccErrorsCorrected: { en: 'Count of corrected ECC errors', 'zh-CN': '可纠正 ECC 错误数' },
    fanRatio: { en: 'Fan speed', 'zh-CN': '风扇转速比' },
    healthRatio: { en: 'Health', 'zh-CN': '健康度' },
  },
}
