/**
 * Reads the parts of a record's evidence that the page draws. Evidence is kept as it was measured, by whatever
 * version measured it, so every part may be missing; the page then shows the JSON alone.
 */
export interface CaseEvidence {
  readonly id: string
  readonly event: string
  readonly tokens: number
  readonly seconds: readonly number[]
  readonly cpuSeconds: readonly number[]
}

export const probeNames = ['gemmFp32', 'gemmInt8', 'bandwidthRead', 'bandwidthTriad'] as const
export interface PeakEvidence {
  readonly name: (typeof probeNames)[number]
  readonly unit: 'FLOP/s' | 'OP/s' | 'B/s'
  readonly samples: readonly number[]
  /** Matrix shape, or bytes streamed. */
  readonly size: { readonly shape: readonly number[] } | { readonly bytes: number } | null
}

export interface Evidence {
  readonly cases: readonly CaseEvidence[]
  readonly peaks: readonly PeakEvidence[]
  readonly threads: number | null
  readonly library: string | null
  readonly environment: readonly (readonly [string, string | number | boolean | null])[]
  readonly noise: {
    readonly loadBefore: number | null
    readonly loadAfter: number | null
    readonly steal: number | null
    readonly foreign: number | null
  }
}

type Fields = Readonly<Record<string, unknown>>
function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
function numbers(value: unknown): readonly number[] {
  return list(value).filter((entry) => typeof entry === 'number')
}
function numeric(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
function textual(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

/** The measurement itself, wherever the record's version put it. */
function resultOf(evidence: unknown): Fields {
  const outer = fields(evidence)
  for (const candidate of [outer, fields(outer.result), fields(outer.measurement), fields(outer.samples)]) {
    if (candidate.probe !== undefined && candidate.cases !== undefined) return candidate
  }
  return outer
}

function caseOf(value: unknown): readonly CaseEvidence[] {
  const entry = fields(value)
  const id = textual(entry.id)
  const event = textual(entry.event)
  if (id === null || event === null) return []
  const tokens = numeric(event === 'prefill' ? entry.promptTokens : entry.generateTokens) ?? 0
  return [{ id, event, tokens, seconds: numbers(entry.seconds), cpuSeconds: numbers(entry.cpuSeconds) }]
}

function peakOf(name: PeakEvidence['name'], probe: Fields): readonly PeakEvidence[] {
  const entry = fields(probe[name])
  const variants = [
    ['flopsPerSecond', 'FLOP/s'],
    ['opsPerSecond', 'OP/s'],
    ['bytesPerSecond', 'B/s'],
  ] as const
  const shape = numbers(entry.shape)
  const bytes = numeric(entry.bytes)
  const size = shape.length > 0 ? { shape } : bytes === null ? null : { bytes }
  return variants.flatMap(([field, unit]) => {
    const samples = numbers(entry[field])
    return samples.length === 0 ? [] : [{ name, unit, samples, size }]
  })
}

export function readEvidence(evidence: unknown): Evidence {
  const result = resultOf(evidence)
  const probe = fields(result.probe)
  const noise = fields(result.noise)
  return {
    cases: list(result.cases).flatMap(caseOf),
    peaks: probeNames.flatMap((name) => peakOf(name, probe)),
    threads: numeric(probe.threads),
    library: textual(probe.library),
    environment: Object.entries(fields(result.environment)).flatMap(([name, value]) =>
      isPlain(value) ? [[name, value] as const] : [],
    ),
    noise: {
      loadBefore: numeric(noise.loadBefore),
      loadAfter: numeric(noise.loadAfter),
      steal: numeric(noise.stealRatio),
      foreign: numeric(noise.foreignCpuRatio),
    },
  }
}
