import { createHash } from 'node:crypto'
import { knownColumns, type Layout } from '../domain/layout.ts'
import { QUANTA } from '../domain/quantise.ts'
import { CHIP_METRICS, type SampleLayout } from '../protocol.ts'

/** By the catalogue's place, as in everything that is stored. */
export const CATALOGUE_QUANTA = CHIP_METRICS.map(({ unit }) => QUANTA[unit])
export const METRIC_PLACES: ReadonlyMap<string, number> = new Map(CHIP_METRICS.map(({ name }, place) => [name, place]))

/** A layout as its samples come, and as they are stored. */
export interface KnownLayout extends Layout {
  readonly digest: string
  /** Column in the agent's rows of each stored metric. */
  readonly columns: readonly number[]
  /** Known once it was stored. */
  id: number | null
}

export const digestOfLayout = ({ chips, metrics }: Layout) =>
  createHash('sha256')
    .update(JSON.stringify([chips, metrics]))
    .digest('base64url')

const MOST_LAYOUTS = 20_000

export interface Layouts {
  /** The same object for the same layout, as long as it is in use. */
  of(layout: SampleLayout): KnownLayout
  /** One that exists in the store. */
  remember(id: number, layout: Layout): void
  byId(id: number): Layout | undefined
}

/** Layouts in memory: one a node as a rule, a new one where a chip comes or goes. The oldest give way. */
export function createLayouts(): Layouts {
  const byDigest = new Map<string, KnownLayout>()
  const stored = new Map<number, Layout>()
  // An agent's connection hands in the same object again and again.
  const seen = new WeakMap<SampleLayout, KnownLayout>()
  const make = (layout: SampleLayout): KnownLayout => {
    const columns = knownColumns(layout.metrics, METRIC_PLACES)
    const known = { chips: layout.chips, metrics: columns.map(({ metric }) => metric) }
    const digest = digestOfLayout(known)
    // Two agents' versions may send the same in another order: one in the store, two ways to read.
    const key = `${digest} ${columns.map(({ column }) => column).join()}`
    const found = byDigest.get(key)
    if (found) return found
    const fresh = { ...known, digest, columns: columns.map(({ column }) => column), id: null }
    byDigest.set(key, fresh)
    trim(byDigest)
    return fresh
  }
  return {
    of(layout) {
      let known = seen.get(layout)
      if (!known) {
        known = make(layout)
        seen.set(layout, known)
      }
      return known
    },
    remember(id, layout) {
      stored.set(id, layout)
      trim(stored)
    },
    byId: (id) => stored.get(id),
  }
}

function trim(cache: Map<unknown, unknown>): void {
  const [oldest] = cache.keys()
  if (cache.size > MOST_LAYOUTS) cache.delete(oldest)
}
