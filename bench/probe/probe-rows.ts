import { spawnProbe } from '@medley/proving'
import { type BenchRow, barRow, reportedRow } from '../bench-row.ts'
import { type CAnchors, compileAnchors, type Rates } from './c-anchors.ts'

/** Below this share of what a C program reaches, our peak would inflate every score that is divided by it. */
const LEAST_RATIO = 0.8
/** About as long as the probe looks at each rate. */
const GEMM_PASSES = 150
const STREAM_PASSES = 50
const ROUNDS = 3

interface Round {
  readonly fp32: number
  readonly int8: number
  readonly read: number
  readonly triad: number
  readonly anchors: Rates
}

/**
 * The probe of quick proving against C programs compiled on the spot, single-threaded. Both sides run in turn in
 * each round and keep their best, so that a busy moment of the machine hits neither alone.
 *
 * `holds` is null where there is no C compiler.
 */
export async function probeRows({ quick }: { quick: boolean }): Promise<BenchRow[]> {
  const anchors = await compileAnchors()
  try {
    const rounds: Round[] = []
    for (let index = 0; index < (quick ? 1 : ROUNDS); index += 1) rounds.push(await measureRound(anchors))
    return rowsOf(rounds, anchors)
  } finally {
    await anchors?.remove()
  }
}

async function measureRound(anchors: CAnchors | null): Promise<Round> {
  const probe = await spawnProbe({ threads: 1, signal: new AbortController().signal })
  const size = probe.gemmFp32.shape[0] ?? 0
  return {
    fp32: Math.max(...probe.gemmFp32.flopsPerSecond),
    int8: Math.max(...probe.gemmInt8.opsPerSecond),
    read: Math.max(...probe.bandwidthRead.bytesPerSecond),
    triad: Math.max(...probe.bandwidthTriad.bytesPerSecond),
    anchors: {
      ...(await anchors?.gemm(size, GEMM_PASSES)),
      ...(await anchors?.stream(probe.bandwidthTriad.bytes / 3, STREAM_PASSES)),
    },
  }
}

function rowsOf(rounds: readonly Round[], anchors: CAnchors | null): BenchRow[] {
  const best = (pick: (round: Round) => number): number => Math.max(...rounds.map(pick))
  const anchor = (...names: readonly string[]): number | null => {
    const values = rounds.flatMap((round) => names.flatMap((name) => round.anchors[name] ?? []))
    return values.length === 0 ? null : Math.max(...values)
  }
  const compiler = anchors?.compiler ?? 'gcc (not found)'
  const gemm = { unit: 'FLOP/s', value: best(({ fp32 }) => fp32) }
  const bytes = { unit: 'B/s' }
  const [read, triad] = [best((round) => round.read), best((round) => round.triad)]
  return [
    // Against the better of the two products, where a BLAS is there: the bar must not depend on our own C.
    barRow(
      {
        ...gemm,
        name: 'probe_gemm',
        anchor: `best fp32 product of ${compiler}${anchors?.withBlas === true ? ' and OpenBLAS' : ''}`,
        anchorValue: anchor('gemm', 'blas'),
      },
      LEAST_RATIO,
    ),
    barRow(
      {
        ...bytes,
        name: 'probe_bandwidth',
        value: Math.max(read, triad),
        anchor: `best of copy, scale, add, triad, read by ${compiler}`,
        anchorValue: anchor('copy', 'scale', 'add', 'triad', 'read'),
      },
      LEAST_RATIO,
    ),
    reportedRow({
      ...bytes,
      name: 'probe_read',
      value: read,
      anchor: `read by ${compiler}`,
      anchorValue: anchor('read'),
    }),
    reportedRow({
      ...bytes,
      name: 'probe_triad',
      value: triad,
      anchor: `triad by ${compiler}`,
      anchorValue: anchor('triad'),
    }),
    reportedRow({
      unit: 'OP/s',
      name: 'probe_gemm_int8',
      value: best(({ int8 }) => int8),
      anchor: 'the probe’s own fp32 product',
      anchorValue: gemm.value,
    }),
  ]
}
