/** What one token of a model costs, as far as the engine knows. Unknown is null. */
export interface ModelCost {
  readonly parameters: number | null
  /** Bytes of all weights: a decoded token reads them once. */
  readonly weightBytes: number
  readonly kvBytesPerToken: number | null
  readonly layers: number | null
  /** Width of the attention of one layer: heads x head dimension. */
  readonly attentionWidth: number | null
}

/** Best rates of the chip on the threads of the case: operations and bytes per second. */
export interface Peaks {
  readonly gemmFp32: number
  readonly gemmInt8: number
  readonly bandwidth: number
}

export type PeakName = keyof Peaks

export interface Attainable {
  readonly tokensPerSecond: number
  /** The side of the roof that limits. */
  readonly bound: 'compute' | 'bandwidth'
  readonly computeDtype: 'fp32' | 'int8' | null
  readonly flopPerToken: number | null
  readonly bytesPerToken: number
  readonly attentionTerm: 'exact' | 'lower_bound' | 'unknown' | 'not_used'
}

/** Weights of at most this many bytes per parameter are quantised: engines then multiply in int8. */
const QUANTISED_BYTES_PER_PARAMETER = 1.5

/**
 * Roof of a prompt of `tokens` tokens evaluated in one batch: `min(P_peak(dtype), BW * I)` as tokens per second,
 * where the intensity `I` follows from reading the weights once per batch and writing the KV of each token.
 * Null where the number of parameters is unknown.
 */
export function prefillAttainable(cost: ModelCost, peaks: Peaks, tokens: number): Attainable | null {
  if (cost.parameters === null || cost.parameters <= 0) return null
  // On average a token of the prompt looks back at half of it.
  const attention = attentionFlop(cost, tokens / 2)
  const flopPerToken = 2 * cost.parameters + attention.flop
  const computeDtype = cost.weightBytes / cost.parameters <= QUANTISED_BYTES_PER_PARAMETER ? 'int8' : 'fp32'
  const peak = computeDtype === 'int8' ? Math.max(peaks.gemmInt8, peaks.gemmFp32) : peaks.gemmFp32
  const bytesPerToken = cost.weightBytes / tokens + (cost.kvBytesPerToken ?? 0)
  const byCompute = peak / flopPerToken
  const byBandwidth = peaks.bandwidth / bytesPerToken
  return {
    tokensPerSecond: Math.min(byCompute, byBandwidth),
    bound: byCompute <= byBandwidth ? 'compute' : 'bandwidth',
    computeDtype,
    flopPerToken,
    bytesPerToken,
    attentionTerm: attention.kind,
  }
}

/**
 * Roof of one decoded stream: every token reads all weights and the KV of the tokens before it.
 *
 * @param depth Tokens in the context, averaged over the generated ones.
 */
export function decodeAttainable(cost: ModelCost, peaks: Peaks, depth: number): Attainable {
  const bytesPerToken = cost.weightBytes + (cost.kvBytesPerToken ?? 0) * depth
  return {
    tokensPerSecond: peaks.bandwidth / bytesPerToken,
    bound: 'bandwidth',
    computeDtype: null,
    flopPerToken: null,
    bytesPerToken,
    attentionTerm: 'not_used',
  }
}

/**
 * `4 * layers * width * depth` operations per token (scores and weighted sum, two operations each). With grouped
 * heads the KV of a token says less than the width; then it is a lower bound, and the roof a little too high, which
 * can only lower a score.
 */
function attentionFlop(cost: ModelCost, depth: number): { flop: number; kind: Attainable['attentionTerm'] } {
  if (cost.layers !== null && cost.attentionWidth !== null) {
    return { flop: 4 * cost.layers * cost.attentionWidth * depth, kind: 'exact' }
  }
  if (cost.kvBytesPerToken === null) return { flop: 0, kind: 'unknown' }
  const elementBytes = 2
  const keyElements = cost.kvBytesPerToken / (2 * elementBytes)
  return { flop: 4 * keyElements * depth, kind: 'lower_bound' }
}
