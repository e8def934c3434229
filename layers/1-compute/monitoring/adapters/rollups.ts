import { promisify } from 'node:util'
import { brotliCompress, brotliDecompressSync, constants } from 'node:zlib'
import { sql } from 'kysely'
import { DamagedReadings } from '../domain/bytes.ts'
import { type Layout, unionOf } from '../domain/layout.ts'
import { buildRollup, placeOf, type Rollup } from '../domain/rollup.ts'
import { decodeRollup, encodeRollup } from '../domain/rollup-code.ts'
import { decodeSample } from '../domain/sample-code.ts'
import { CATALOGUE_QUANTA, type Layouts } from './catalogue.ts'
import { loadLayouts } from './load.ts'
import type { Tx } from './partitions.ts'
import { HOUR_MS } from './tables.ts'

export const MINUTE_MS = 60_000

/** Readings of one node over an hour by minute, or over a day by hour. */
export interface NodeRollup {
  readonly fromMs: number
  readonly layout: Layout
  readonly rollup: Rollup
}

export interface RawRow {
  readonly node: number
  readonly atMs: number
  readonly layout: number
  readonly payload: Buffer
}

/** What reading takes. A row that cannot be read is left out and told of: the rest of history is still there. */
export interface Reading {
  readonly layouts: Layouts
  readonly damaged: (error: DamagedReadings) => void
}

export async function readRaw(
  tx: Tx,
  { layouts }: Reading,
  nodes: readonly number[],
  fromMs: number,
  toMs: number,
): Promise<readonly RawRow[]> {
  const { rows } = await sql<RawRow>`
    select node, at_ms::float8 as "atMs", layout, payload from metric_raw
    where node = any(${nodes}::int[]) and at_ms >= ${fromMs}::bigint and at_ms < ${toMs}::bigint
    order by node, at_ms`.execute(tx)
  await loadLayouts(
    tx,
    layouts,
    rows.map(({ layout }) => layout),
  )
  return rows
}

/** @returns null where there is nothing. */
export function rollupOfRaw(rows: readonly RawRow[], reading: Reading, fromMs: number): NodeRollup | null {
  const parts = new Map<number, Layout>()
  for (const { layout: id } of rows) {
    const layout = reading.layouts.byId(id)
    if (layout) parts.set(id, layout)
  }
  if (parts.size === 0) return null
  const layout = unionOf([...parts.values()])
  const builder = buildRollup(
    { slots: HOUR_MS / MINUTE_MS, chips: layout.chips.length, metrics: layout.metrics.length },
    layout.metrics.map(quantumOf),
  )
  const places = new Map([...parts].map(([id, part]) => [id, placesIn(layout, part)]))
  for (const row of rows) {
    const part = parts.get(row.layout)
    const place = places.get(row.layout)
    if (!part || !place) continue
    const slot = Math.floor((row.atMs - fromMs) / MINUTE_MS)
    const chips = part.chips.length
    const codes = readable(reading, () => decodeSample(row.payload, { chips, metrics: part.metrics.length }))
    if (!codes) continue
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? Number.NaN
      if (Number.isNaN(code)) continue
      builder.add(place.metrics[Math.floor(at / chips)] ?? 0, place.chips[at % chips] ?? 0, slot, {
        count: 1,
        min: code,
        mean: code,
        max: code,
      })
    }
  }
  return { fromMs, layout, rollup: builder.finish() }
}

/** A day by hour out of its hours by minute. */
export function rollupOfHours(hours: readonly NodeRollup[], fromMs: number): NodeRollup | null {
  if (hours.length === 0) return null
  const layout = unionOf(hours.map((hour) => hour.layout))
  const builder = buildRollup(
    { slots: 24, chips: layout.chips.length, metrics: layout.metrics.length },
    layout.metrics.map(quantumOf),
  )
  for (const hour of hours) {
    const place = placesIn(layout, hour.layout)
    const slot = Math.floor((hour.fromMs - fromMs) / HOUR_MS)
    const { rollup } = hour
    for (let metric = 0; metric < rollup.metrics; metric += 1) {
      for (let chip = 0; chip < rollup.chips; chip += 1) {
        const start = placeOf(rollup, metric, chip, 0)
        for (let at = start; at < start + rollup.slots; at += 1) {
          const reading = readingAt(rollup, at)
          if (reading) builder.add(place.metrics[metric] ?? 0, place.chips[chip] ?? 0, slot, reading)
        }
      }
    }
  }
  return { fromMs, layout, rollup: builder.finish() }
}

/** The codes at a place, `null` where nothing was read. */
export function readingAt(rollup: Rollup, at: number) {
  const count = rollup.count[at] ?? 0
  if (count === 0) return null
  return { count, min: rollup.min[at] ?? 0, mean: rollup.mean[at] ?? 0, max: rollup.max[at] ?? 0 }
}

function quantumOf(metric: number) {
  const quantum = CATALOGUE_QUANTA[metric]
  if (!quantum) throw new DamagedReadings(`there is no metric ${metric}`)
  return quantum
}

function placesIn(whole: Layout, part: Layout) {
  const chips = new Map(whole.chips.map((uuid, place) => [uuid, place]))
  const metrics = new Map(whole.metrics.map((metric, place) => [metric, place]))
  return {
    chips: part.chips.map((uuid) => chips.get(uuid) ?? 0),
    metrics: part.metrics.map((metric) => metrics.get(metric) ?? 0),
  }
}

/** More than an hour of a node with a thousand chips. */
const MOST_BYTES = 64 * 2 ** 20

const compress = promisify(brotliCompress)
/** Ten saves a quarter against the faster ones and takes some 15 ms, which a thread of the pool has for it. */
const PARAMS = { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_LGWIN]: 18 }

export const pack = (rollup: Rollup): Promise<Buffer> => compress(encodeRollup(rollup), { params: PARAMS })

/** @throws DamagedReadings */
function unpack(payload: Buffer): Rollup {
  try {
    return decodeRollup(brotliDecompressSync(payload, { maxOutputLength: MOST_BYTES }))
  } catch (error) {
    if (error instanceof DamagedReadings) throw error
    throw new DamagedReadings(error instanceof Error ? error.message : String(error))
  }
}

export function readable<Value>({ damaged }: Reading, read: () => Value): Value | null {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DamagedReadings)) throw error
    damaged(error)
    return null
  }
}

export async function readRollups(
  tx: Tx,
  reading: Reading,
  table: 'metric_minute' | 'metric_hour',
  node: number,
  starts: readonly number[],
): Promise<readonly NodeRollup[]> {
  if (starts.length === 0) return []
  const [least, greatest] = [Math.min(...starts), Math.max(...starts)]
  // The bounds are for the partitions, which an array does not rule out.
  const { rows } = await sql<{ fromMs: number; layout: number; payload: Buffer }>`
    select from_ms::float8 as "fromMs", layout, payload from ${sql.table(table)}
    where node = ${node} and from_ms >= ${least}::bigint and from_ms <= ${greatest}::bigint
      and from_ms = any(${starts}::bigint[]) order by from_ms`.execute(tx)
  await loadLayouts(
    tx,
    reading.layouts,
    rows.map(({ layout }) => layout),
  )
  return rows.flatMap(({ fromMs, layout: id, payload }) => {
    const layout = reading.layouts.byId(id)
    const rollup = readable(reading, () => unpack(payload))
    return layout && rollup ? [{ fromMs, layout, rollup }] : []
  })
}
