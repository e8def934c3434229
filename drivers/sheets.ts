import type { ProductSheet } from '@medley/fleet'

type Dtype = 'fp32' | 'tf32' | 'fp16' | 'bf16' | 'int8' | 'fp8'

/** Where the figures come from: no vendor's own sheet could be opened for any of them. */
const SOURCES = {
  /** Public profiles and benchmarks of others, partly borne out by what tools print. */
  'third party': 'third-party profiles and benchmark descriptions; not the vendor’s own sheet',
  /** Recalled from press and prospectus. */
  memory: 'recalled from press and launch material; no document at hand',
} as const

/**
 * Dense nominal peaks in tera-operations per second and bandwidth in 10^9 bytes per second. Dtypes for which no
 * figure was found are left out: unknown, not zero.
 */
export function sheet(
  product: string,
  peaks: Readonly<Partial<Record<Dtype, number>>>,
  bandwidthGigabytes: number | null,
  from: keyof typeof SOURCES,
  note = '',
): ProductSheet {
  return {
    product,
    peaks: Object.entries(peaks).map(([dtype, teraops]) => ({ dtype, teraops, sparse: false })),
    bandwidthBytesPerSecond: bandwidthGigabytes === null ? null : Math.round(bandwidthGigabytes * 1e9),
    source: note === '' ? SOURCES[from] : `${SOURCES[from]}; ${note}`,
    confidence: from === 'memory' ? 'low' : 'medium',
  }
}
