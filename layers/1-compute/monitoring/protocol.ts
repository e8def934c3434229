/**
 * The one schema of readings over all vendors, and how an agent hands them in. The catalogue is open at its end: an
 * agent names the metrics it sends, so that an older server drops what it does not know and a newer one sees `null`.
 */
import { z } from 'zod'

const localized = (en: string, chinese: string) => ({ en, 'zh-CN': chinese })

export interface MetricDefinition {
  /** Name in the API and in the store. */
  readonly name: string
  /** Name on `/metrics`, with the unit as Prometheus wants it. */
  readonly exposed: string
  readonly kind: 'gauge' | 'counter'
  readonly unit: 'ratio' | 'bytes' | 'celsius' | 'watts' | 'hertz' | 'count' | 'bytes-per-second'
  readonly title: { readonly en: string; readonly 'zh-CN': string }
}

const gauge = (
  name: string,
  exposed: string,
  unit: MetricDefinition['unit'],
  en: string,
  chinese: string,
): MetricDefinition => ({ name, exposed: `medley_chip_${exposed}`, kind: 'gauge', unit, title: localized(en, chinese) })

/** In the order of storage; new ones go to the end, none is ever removed or renamed. */
export const CHIP_METRICS: readonly MetricDefinition[] = [
  gauge('utilizationRatio', 'utilization_ratio', 'ratio', 'Utilisation', '利用率'),
  gauge('memoryUsedBytes', 'memory_used_bytes', 'bytes', 'Memory used', '已用显存'),
  gauge('memoryTotalBytes', 'memory_total_bytes', 'bytes', 'Memory', '显存总量'),
  gauge('temperatureCelsius', 'temperature_celsius', 'celsius', 'Temperature', '温度'),
  gauge('powerWatts', 'power_watts', 'watts', 'Power', '功耗'),
  gauge('cardPowerWatts', 'card_power_watts', 'watts', 'Power of the card', '整卡功耗'),
  gauge('powerLimitWatts', 'power_limit_watts', 'watts', 'Power limit', '功耗上限'),
  gauge('clockHertz', 'clock_hertz', 'hertz', 'Core clock', '核心频率'),
  gauge('memoryClockHertz', 'memory_clock_hertz', 'hertz', 'Memory clock', '显存频率'),
  gauge('memoryTemperatureCelsius', 'memory_temperature_celsius', 'celsius', 'Memory temperature', '显存温度'),
  gauge('memoryUtilizationRatio', 'memory_utilization_ratio', 'ratio', 'Memory bandwidth in use', '显存带宽利用率'),
  gauge('fanRatio', 'fan_ratio', 'ratio', 'Fan speed', '风扇转速比'),
  {
    ...gauge(
      'eccErrorsUncorrected',
      'ecc_errors_uncorrected_total',
      'count',
      'Uncorrected ECC errors',
      '不可纠正 ECC 错误',
    ),
    kind: 'counter',
  },
  {
    ...gauge('eccErrorsCorrected', 'ecc_errors_corrected_total', 'count', 'Corrected ECC errors', '可纠正 ECC 错误'),
    kind: 'counter',
  },
  gauge('pcieReceiveBytesPerSecond', 'pcie_receive_bytes_per_second', 'bytes-per-second', 'PCIe in', 'PCIe 接收速率'),
  gauge(
    'pcieTransmitBytesPerSecond',
    'pcie_transmit_bytes_per_second',
    'bytes-per-second',
    'PCIe out',
    'PCIe 发送速率',
  ),
  /** 1 healthy, 0.5 degraded, 0 unusable or lost; `null` where health is unknown. */
  gauge(
    'healthRatio',
    'health_ratio',
    'ratio',
    'Health (1 healthy, 0.5 degraded, 0 not usable)',
    '健康度（1 正常，0.5 降级，0 不可用）',
  ),
]

const timestampMs = z.number().int().nonnegative()

/** As in the agent's report (`@medley/fleet/protocol`): without the characters that no store can keep. */
const chipUuid = z.string().overwrite(
  (words) =>
    words
      .replace(/\p{Cc}/gu, '')
      .slice(0, 512)
      .toWellFormed() || 'unreadable',
)

/**
 * Which chips and metrics the rows of later samples stand for, sent before the first of them and whenever one of the
 * two changes. Spares naming eight chips and sixteen metrics every fifteen seconds.
 */
export const sampleLayout = z.object({
  chips: z.array(chipUuid).max(1024),
  metrics: z.array(z.string()).max(64),
})
export type SampleLayout = z.infer<typeof sampleLayout>

/** All readings of a node at one time: one row per chip and one column per metric of the layout. */
export const nodeSample = z.object({
  /** By the agent's clock. What makes a sample one: handed in again, it is the same. */
  atMs: timestampMs,
  values: z.array(z.array(z.number().nullable())),
})
export type NodeSample = z.infer<typeof nodeSample>

/** A time for which the agent has no samples and knows it. */
export const sampleGap = z.object({
  fromMs: timestampMs,
  toMs: timestampMs,
  /** The agent did not run; it ran and had to drop its oldest samples; its host slept or its clock was set. */
  reason: z.enum(['agent-stopped', 'buffer-full', 'clock-jumped']),
})
export type SampleGap = z.infer<typeof sampleGap>
