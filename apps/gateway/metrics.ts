import type { UsageRecord } from '@medley/supply/protocol'
import { Counter, createMetricsRegistry, Gauge, Histogram } from '@medley/telemetry'
import type { Journal } from './journal/journal.ts'

export interface GatewayMetrics {
  observe(record: UsageRecord): void
  /** In Prometheus' text form; it names no tenant, no key and no model, as nobody is asked for a key here. */
  text(): Promise<string>
  readonly contentType: string
}

export interface MetricsSources {
  readonly journal: Journal
  readonly running: () => number
  readonly deliveredRecords: () => number
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

export function createGatewayMetrics({ journal, running, deliveredRecords }: MetricsSources): GatewayMetrics {
  const registry = createMetricsRegistry('gateway')
  const registers = [registry]
  const requests = new Counter({
    name: 'medley_gateway_requests_total',
    help: 'Authenticated inference requests that have ended.',
    labelNames: ['endpoint', 'outcome', 'code'],
    registers,
  })
  const tokens = new Counter({
    name: 'medley_gateway_tokens_total',
    help: 'Tokens as counted by the engines.',
    labelNames: ['kind'],
    registers,
  })
  const duration = new Histogram({
    name: 'medley_gateway_request_seconds',
    help: 'From the request to its usage record.',
    labelNames: ['endpoint'],
    buckets: SECONDS,
    registers,
  })
  const firstToken = new Histogram({
    name: 'medley_gateway_time_to_first_token_seconds',
    help: 'From the request to the first token of its stream.',
    labelNames: ['endpoint'],
    buckets: SECONDS,
    registers,
  })
  const gauge = (name: string, help: string, read: () => number) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  gauge('medley_gateway_running_requests', 'Requests that have not ended.', running)
  gauge('medley_gateway_journal_healthy', '1 while usage can be recorded.', () => (journal.healthy ? 1 : 0))
  gauge('medley_gateway_delivered_records', 'Usage records the server has taken since the start.', deliveredRecords)
  return {
    observe: (record) => {
      const { endpoint, outcome } = record
      requests.inc({ endpoint, outcome, code: record.errorCode ?? '' })
      duration.observe({ endpoint }, (record.endedAt - record.startedAt) / 1000)
      if (record.timeToFirstTokenMs !== null) firstToken.observe({ endpoint }, record.timeToFirstTokenMs / 1000)
      if (record.promptTokens !== null) tokens.inc({ kind: 'prompt' }, record.promptTokens)
      if (record.cachedTokens !== null) tokens.inc({ kind: 'cached' }, record.cachedTokens)
      if (record.completionTokens !== null) tokens.inc({ kind: 'completion' }, record.completionTokens)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
