import { createOtlpExport, type OtlpExport } from '@medley/monitoring'
import type { Base } from './compose-base.ts'
import type { FleetParts } from './compose-fleet.ts'
import { chipLabels } from './http/exposition.ts'

/**
 * Pushes the chips' readings to a collector where the environment names one, by the names that OpenTelemetry gives
 * these settings: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, and ..._HEADERS.
 */
export function composeOtlp({ env, config, instance, log }: Base, parts: FleetParts): OtlpExport | null {
  const endpoint = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT ?? ''
  if (endpoint === '') return null
  const { index, monitoring } = parts
  const exporting = createOtlpExport({
    endpoint,
    headers: headersOf(env.OTEL_EXPORTER_OTLP_METRICS_HEADERS ?? env.OTEL_EXPORTER_OTLP_HEADERS ?? ''),
    intervalMs: config.fleet.sampleIntervalMs,
    readings: () => index.cells().flatMap(({ uuid }) => monitoring.latest(uuid) ?? []),
    labelsOf: (uuid) => {
      const cell = index.cell(uuid)
      return cell ? chipLabels(cell) : null
    },
    resource: { 'service.name': 'medley', 'service.instance.id': instance.id, 'service.version': config.version },
    log: (message, fields) => log.warn(fields, message),
  })
  exporting.start()
  return exporting
}

/** `name=value,name=value`, values percent-encoded. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=')
    return at > 0 ? [[pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())]] : []
  })
  return Object.fromEntries(pairs)
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
