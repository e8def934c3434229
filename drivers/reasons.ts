import type { Localized } from '@medley/kernel'

/** Texts of the codes in `ChipFacts.healthReasons`; `{name}` is replaced by the parameter of that name. */
export const healthReasons = {
  'tool-missing': {
    en: 'The card is on the bus, but the vendor tool {tool} was not found: install the driver',
    'zh-CN': '总线上能看到该卡，但找不到厂商工具 {tool}：请安装驱动',
  },
  'tool-timeout': { en: '{tool} did not answer in time', 'zh-CN': '{tool} 在限定时间内没有响应' },
  'tool-too-large': { en: '{tool} printed more than can be read', 'zh-CN': '{tool} 的输出超出可读取的大小' },
  'tool-failed': { en: '{tool} failed: {message}', 'zh-CN': '{tool} 执行失败：{message}' },
  'not-listed': {
    en: 'The card is on the bus, but {tool} does not list it',
    'zh-CN': '总线上能看到该卡，但 {tool} 没有列出它',
  },
  'bound-elsewhere': {
    en: 'The card is bound to the kernel driver {driver} and cannot be used from here',
    'zh-CN': '该卡已绑定到内核驱动 {driver}，此处无法使用',
  },
  'health-reported': {
    en: '{tool} reports the health of the card as {value}',
    'zh-CN': '{tool} 报告该卡的健康状态为 {value}',
  },
  'no-parser': {
    en: 'The card {id} is on the bus, but Medley cannot read the tool of its maker yet',
    'zh-CN': '总线上能看到该卡（{id}），但 Medley 暂不支持读取其厂商工具',
  },
  'not-answering': {
    en: 'The card does not answer on the bus: asleep in a virtual machine, or fallen off',
    'zh-CN': '该卡在总线上没有响应：可能已直通给虚拟机并休眠，或已掉卡',
  },
  'ecc-uncorrected': { en: '{count} uncorrected memory errors', 'zh-CN': '发生 {count} 次不可纠正的显存错误' },
  'link-narrow': {
    en: 'PCIe link is {current} lanes wide, {maximum} are possible',
    'zh-CN': 'PCIe 链路宽度为 {current}，最大可达 {maximum}',
  },
} as const satisfies Readonly<Record<string, Localized>>

export type HealthReasonCode = keyof typeof healthReasons

export interface HealthReason {
  readonly code: HealthReasonCode
  readonly params: Readonly<Record<string, string>>
}
