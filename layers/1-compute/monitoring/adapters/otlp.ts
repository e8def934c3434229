import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ChipLabels, ChipReading } from '../ports.ts'
import { createOtlpPoints } from './otlp-points.ts'

export interface OtlpExportPorts {
  /** Of a collector; `/v1/metrics` is added unless it ends so. */
  readonly endpoint: string
  /** Often carry a token: they are in no log. */
  readonly headers: Readonly<Record<string, string>>
  readonly intervalMs: number
  /** Newest reading of each chip. */
  readonly readings: () => Iterable<ChipReading>
  /** Null: the chip is left out. */
  readonly labelsOf: (chipUuid: string) => ChipLabels | null
  /** Of what is exporting, such as `service.instance.id`. */
  readonly resource?: Readonly<Record<string, string>> | undefined
  /** Told once when exporting begins to fail and once when it works again. */
  readonly log?: ((message: string, fields: Readonly<Record<string, string>>) => void) | undefined
}

export interface OtlpExport {
  start(): void
  /** Exports what is new now. @returns points the collector took; null where it did not. */
  flush(): Promise<number | null>
  /** Ends when an export under way is over. */
  stop(): Promise<void>
}

const TIMEOUT_MS = 10_000
/** Points of one request: some megabytes before they are packed. */
const POINTS = 5_000

/**
 * Pushes readings to a collector by OTLP over HTTP. Each reading once, with the time at which it was read; what cannot
 * be delivered is not kept, since the next reading is there soon and the history is in our own store. The libraries are
 * loaded at the first export: a factory that exports nothing pays nothing.
 */
export function createOtlpExport(ports: OtlpExportPorts): OtlpExport {
  const { endpoint, headers, intervalMs, readings, labelsOf, resource = {}, log = () => {} } = ports
  const points = createOtlpPoints(labelsOf)
  const url = metricsUrl(endpoint)
  let exporter: PushMetricExporter | null = null
  let timer: NodeJS.Timeout | null = null
  let current: Promise<number | null> | null = null
  let failing = false

  async function exportNew(): Promise<number | null> {
    const { openExporter, toResourceMetrics } = await import('./otlp-wire.ts')
    exporter ??= openExporter({ url, headers: { ...headers }, timeoutMillis: TIMEOUT_MS })
    let taken = 0
    for (const batch of points.batches(readings(), POINTS)) {
      const error = await send(exporter, toResourceMetrics(batch, resource))
      if (error !== null) {
        if (!failing) log('metrics are not exported', { error })
        failing = true
        return null
      }
      taken += batch.reduce((sum, { points: list }) => sum + list.length, 0)
    }
    if (failing) log('metrics are exported again', {})
    failing = false
    return taken
  }

  const flush = (): Promise<number | null> => {
    // One at a time: a slow collector gets the next export when it has taken this one.
    current ??= exportNew()
      .catch((error: unknown) => {
        log('metrics could not be exported', { error: error instanceof Error ? error.name : 'unknown' })
        return null
      })
      .finally(() => {
        current = null
      })
    return current
  }
  return {
    start() {
      timer ??= setInterval(flush, intervalMs).unref()
    },
    flush,
    async stop() {
      if (timer !== null) clearInterval(timer)
      timer = null
      await current
      await exporter?.shutdown()
      exporter = null
    },
  }
}

/** @returns why it was not taken, without address or headers; null: it was. */
function send(exporter: PushMetricExporter, metrics: ResourceMetrics): Promise<string | null> {
  return new Promise((resolve) => {
    exporter.export(metrics, ({ code, error }) => {
      const status = error && 'code' in error ? ` ${String(error.code)}` : ''
      resolve(code === 0 ? null : `${error?.name ?? 'refused'}${status}`)
    })
  })
}

function metricsUrl(endpoint: string): string {
  const url = new URL(endpoint)
  if (!url.pathname.endsWith('/v1/metrics')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/metrics`
  return url.href
}
