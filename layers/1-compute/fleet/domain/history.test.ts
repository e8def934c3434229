import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeHistory, type StateEntry, transitionsOf } from './history.ts'
import { CHIP_STATES, type ChipState } from './state.ts'

const state = fc.constantFrom(...CHIP_STATES)
const entry = (atMs: number, name: ChipState): StateEntry => ({ state: name, evidence: [], atMs, agentAtMs: atMs })
/** Changes at times of their own: at one moment a chip has one state. */
const changes = fc
  .uniqueArray(fc.record({ atMs: fc.integer({ min: -20, max: 120 }), state }), { selector: ({ atMs }) => atMs })
  .map((list) => list.map(({ atMs, state: name }) => entry(atMs, name)))
const report = fc.record({ changes, state, restMs: fc.integer({ min: 0, max: 40 }) })

interface Told {
  readonly entries: readonly StateEntry[]
  readonly current: ChipState | null
  readonly nowMs: number
}

function tell({ entries, nowMs }: Told, next: { changes: readonly StateEntry[]; state: ChipState; restMs: number }) {
  const atMs = nowMs + next.restMs
  const merged = mergeHistory(entries, next.changes, { state: next.state, evidence: [], atMs })
  return { entries: [...entries, ...merged.added], current: merged.current.to, nowMs: atMs, merged }
}

const nothing: Told = { entries: [], current: null, nowMs: 0 }

describe('mergeHistory', () => {
  it('gives a history in which each state follows on the one before, up to the present one', () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 12 }), (reports) => {
        let told = nothing
        for (const next of reports) told = tell(told, next)
        const transitions = transitionsOf(told.entries)
        expect(transitions.map(({ from }) => from)).toEqual([null, ...transitions.slice(0, -1).map(({ to }) => to)])
        expect(transitions.every(({ from, to }) => from !== to)).toBe(true)
        expect(transitions.at(-1)?.to).toBe(reports.at(-1)?.state)
        expect(told.current).toBe(reports.at(-1)?.state)
        const times = told.entries.map(({ atMs }) => atMs)
        expect(Math.max(...times)).toBeLessThanOrEqual(told.nowMs)
      }),
    )
  })

  it('takes the same report again without adding anything', () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 8 }), fc.nat(7), (reports, pick) => {
        let told = nothing
        for (const next of reports) told = tell(told, next)
        const last = reports.at(-1) ?? { changes: [], state: 'healthy' as const, restMs: 0 }
        const older = reports[pick % reports.length] ?? last
        const again = { ...last, changes: [...older.changes, ...last.changes.toReversed()] }
        expect(tell(told, again).merged.added).toEqual([])
      }),
    )
  })

  it('does not care in which order, in how many pieces and how often changes come', () => {
    const shuffled = changes.chain((list) =>
      fc.record({
        list: fc.constant(list),
        other: fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 }),
        cut: fc.nat(20),
      }),
    )
    fc.assert(
      fc.property(shuffled, state, state, ({ list, other, cut }, first, last) => {
        const known: Told = { entries: [{ ...entry(-30, first), agentAtMs: null }], current: first, nowMs: 130 }
        const at = { restMs: 0, state: last }
        const inOrder = tell(known, { ...at, changes: list.toSorted((one, two) => one.atMs - two.atMs) })
        const half = tell(known, { ...at, changes: other.slice(0, cut) })
        const inPieces = tell(half, { ...at, changes: other.slice(cut) })
        expect(transitionsOf(inPieces.entries)).toEqual(transitionsOf(inOrder.entries))
        expect(inPieces.merged.current).toEqual(inOrder.merged.current)
      }),
    )
  })

  it('dates what came too early to the first entry and what comes from the future to now', () => {
    const known: StateEntry[] = [{ ...entry(10, 'healthy'), agentAtMs: null }]
    const { added } = mergeHistory(known, [entry(5, 'lost'), entry(99, 'degraded')], {
      state: 'healthy',
      evidence: [],
      atMs: 20,
    })
    expect(added.map(({ atMs, state: name }) => [atMs, name])).toEqual([
      [10, 'lost'],
      [20, 'degraded'],
      [20, 'healthy'],
    ])
  })
})
