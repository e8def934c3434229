import { familyHead, labelText } from '../domain/exposition.ts'
import type { ChipLabels } from '../ports.ts'
import { CHIP_METRICS } from '../protocol.ts'
import type { Latest } from './latest.ts'
import { DEFAULT_INTERVAL_MS, type Nodes } from './nodes.ts'

/** Older than so many intervals is not how it is now. */
const SHOWN_INTERVALS = 5
const LINES_A_PIECE = 256
const CHIPS_A_TURN = 1_000

/** One family after the other, as the format demands, in pieces: ten thousand chips are some thirty megabytes. */
export async function* expose(
  latest: Latest,
  nodes: Nodes,
  nowMs: number,
  labelsOf: (chipUuid: string) => ChipLabels | null,
  nextTurn: () => Promise<unknown>,
): AsyncGenerator<string> {
  const shown: Shown[] = []
  let seen = 0
  for (const [chipUuid, { nodeId, atMs, values }] of latest.entries()) {
    const intervalMs = nodes.find(nodeId)?.intervalMs ?? DEFAULT_INTERVAL_MS
    const labels = nowMs - atMs <= SHOWN_INTERVALS * intervalMs ? labelsOf(chipUuid) : null
    if (labels) shown.push({ labels: labelText({ ...labels }), values })
    seen += 1
    if (seen % CHIPS_A_TURN === 0) await nextTurn()
  }
  for (const metric of CHIP_METRICS.keys()) {
    for (const piece of piecesOf(metric, shown)) {
      yield piece
      // Other requests get their turn, also where the reader takes every piece at once.
      await nextTurn()
    }
  }
}

interface Shown {
  readonly labels: string
  readonly values: Float64Array
}

function* piecesOf(metric: number, shown: readonly Shown[]): Generator<string> {
  const definition = CHIP_METRICS[metric]
  const known = shown.filter(({ values }) => Number.isFinite(values[metric]))
  if (!definition || known.length === 0) return
  const { exposed: name, kind, title } = definition
  for (let at = 0; at < known.length; at += LINES_A_PIECE) {
    const head = at === 0 ? familyHead({ name, kind, help: title.en }) : ''
    const lines = known
      .slice(at, at + LINES_A_PIECE)
      .map(({ labels, values }) => `${name}${labels} ${values[metric]}\n`)
    yield head + lines.join('')
  }
}
