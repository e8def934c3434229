import type { AlertRule } from './rule.ts'

type BuiltIn = Omit<AlertRule, 'id' | 'builtIn'> & { readonly key: string }

const common = { enabled: true, vendors: [], includeSimulated: true, channelIds: [] } as const

/** Seeded once; the operator's later changes stay. A key is never given to another rule. */
export const BUILT_IN_RULES: readonly BuiltIn[] = [
  {
    ...common,
    key: 'heat',
    name: { en: 'Chip too hot', 'zh-CN': '芯片过热' },
    severity: 'warning',
    // Below where datacentre chips begin to throttle (87 to 95 degrees), above what they reach under full load.
    condition: { kind: 'metric', metric: 'temperatureCelsius', comparison: 'above', threshold: 85 },
    forSeconds: 120,
  },
  {
    ...common,
    key: 'ecc-uncorrected',
    name: { en: 'New uncorrected ECC errors', 'zh-CN': '新增不可纠正 ECC 错误' },
    severity: 'critical',
    condition: { kind: 'metric', metric: 'eccErrorsUncorrected', comparison: 'increased-by', threshold: 0 },
    forSeconds: 0,
  },
  {
    ...common,
    key: 'card-lost',
    name: { en: 'Card lost or not usable', 'zh-CN': '加速卡丢失或不可用' },
    severity: 'critical',
    condition: { kind: 'chip-state', states: ['absent', 'lost', 'no-driver', 'unusable'] },
    forSeconds: 60,
  },
  {
    ...common,
    key: 'driver-drift',
    name: { en: 'Driver differs from the rest', 'zh-CN': '驱动版本与同型号不一致' },
    severity: 'warning',
    condition: { kind: 'driver-drift' },
    forSeconds: 600,
  },
  {
    ...common,
    key: 'node-away',
    name: { en: 'Node away', 'zh-CN': '节点失联' },
    severity: 'critical',
    condition: { kind: 'node-away' },
    forSeconds: 60,
  },
  {
    ...common,
    key: 'quarantine',
    name: { en: 'Chip in quarantine', 'zh-CN': '芯片被隔离' },
    severity: 'warning',
    condition: { kind: 'quarantine' },
    forSeconds: 0,
  },
]
