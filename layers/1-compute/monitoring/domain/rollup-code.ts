import { ByteReader, ByteWriter, DamagedReadings } from './bytes.ts'
import { placeOf, type Rollup } from './rollup.ts'

/**
 * A rollup as bytes for a general compressor to finish. Numbers of one kind stand together: the least codes as steps
 * in time, how far the greatest lie above them, and how far the mean lies from their middle (readings are noise, and
 * three numbers about it are no independent ones). Columns without a reading and columns that never change cost a
 * byte or two.
 */
const VERSION = 1
const EMPTY = 0
/** One value in every slot in which the node has samples. */
const CONSTANT = 1
/** A reading from each of the node's samples. */
const WHOLE = 2
/** With its own number of readings in each slot. */
const SPARSE = 3

/** More than any node has; keeps damaged bytes from asking for all memory. */
const MOST_PLACES = 5_000_000
const CHECKSUM_BYTES = 4

export function encodeRollup(rollup: Rollup): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(VERSION)
  for (const size of [rollup.slots, rollup.chips, rollup.metrics]) writer.unsigned(size)
  const samples = samplesOf(rollup)
  for (const count of samples) writer.unsigned(count)
  for (let metric = 0; metric < rollup.metrics; metric += 1) writeMetric(writer, rollup, metric, samples)
  const body = writer.take()
  const whole = new Uint8Array(body.length + CHECKSUM_BYTES)
  whole.set(body)
  new DataView(whole.buffer).setUint32(body.length, checksum(body))
  return whole
}

/** By slot, how many samples the node has: what the chip with the most readings has. */
function samplesOf(rollup: Rollup): Uint32Array {
  const samples = new Uint32Array(rollup.slots)
  rollup.count.forEach((count, at) => {
    const slot = at % rollup.slots
    if (count > (samples[slot] ?? 0)) samples[slot] = count
  })
  return samples
}

interface Column {
  /** Where its readings stand in the arrays of the rollup, in order of time. */
  readonly places: readonly number[]
  readonly grid: number
}

function writeMetric(writer: ByteWriter, rollup: Rollup, metric: number, samples: Uint32Array): void {
  const least: number[] = []
  const spreads: number[] = []
  const means: number[] = []
  for (let chip = 0; chip < rollup.chips; chip += 1) {
    const { places, grid } = writeForm(writer, rollup, placeOf(rollup, metric, chip, 0), samples)
    let before = 0
    for (const at of places) {
      const min = rollup.min[at] ?? 0
      const max = rollup.max[at] ?? 0
      least.push((min - before) / grid)
      spreads.push((max - min) / grid)
      // Where all readings are the same there is nothing to tell.
      if (max !== min) means.push((rollup.mean[at] ?? 0) - middleOf(min, max))
      before = min
    }
  }
  for (const step of least) writer.signed(step)
  for (const spread of spreads) writer.unsigned(spread)
  for (const mean of means) writer.signed(mean)
}

const NOTHING_MORE: Column = { places: [], grid: 1 }

/** @returns what has yet to be written of the column */
function writeForm(writer: ByteWriter, rollup: Rollup, start: number, samples: Uint32Array): Column {
  const counts = rollup.count.subarray(start, start + rollup.slots)
  const places = placesOf(counts, start)
  const form = formOf(rollup, counts, places, samples)
  writer.byte(form)
  if (form === EMPTY) return NOTHING_MORE
  if (form === CONSTANT) {
    writer.signed(rollup.min[places[0] ?? 0] ?? 0)
    return NOTHING_MORE
  }
  if (form === SPARSE) for (const count of counts) writer.unsigned(count)
  const grid = gridOf(rollup, places)
  writer.unsigned(grid)
  return { places, grid }
}

function placesOf(counts: Uint32Array, start: number): number[] {
  const places: number[] = []
  counts.forEach((count, slot) => {
    if (count > 0) places.push(start + slot)
  })
  return places
}

function formOf(rollup: Rollup, counts: Uint32Array, places: readonly number[], samples: Uint32Array): number {
  if (places.length === 0) return EMPTY
  if (counts.some((count, slot) => count !== samples[slot])) return SPARSE
  const first = rollup.min[places[0] ?? 0]
  return places.every((at) => rollup.min[at] === first && rollup.max[at] === first) ? CONSTANT : WHOLE
}

/** Tools that print whole degrees or percents leave a grid that is coarser than ours. */
function gridOf(rollup: Rollup, places: readonly number[]): number {
  let grid = 0
  for (const at of places) {
    grid = commonDivisor(commonDivisor(grid, Math.abs(rollup.min[at] ?? 0)), Math.abs(rollup.max[at] ?? 0))
    if (grid === 1) break
  }
  return grid || 1
}

function commonDivisor(a: number, b: number): number {
  let [high, low] = [a, b]
  while (low > 0) [high, low] = [low, high % low]
  return high
}

const middleOf = (min: number, max: number) => Math.floor((min + max) / 2)

/** @throws DamagedReadings for bytes that {@link encodeRollup} did not make */
export function decodeRollup(bytes: Uint8Array): Rollup {
  const body = bytes.subarray(0, Math.max(bytes.length - CHECKSUM_BYTES, 0))
  const sum = bytes.subarray(body.length)
  if (sum.length < CHECKSUM_BYTES || new DataView(sum.buffer, sum.byteOffset).getUint32(0) !== checksum(body)) {
    throw new DamagedReadings('they were changed since they were written')
  }
  const reader = new ByteReader(body)
  if (reader.byte() !== VERSION) throw new DamagedReadings('unknown version')
  const shape = { slots: reader.unsigned(), chips: reader.unsigned(), metrics: reader.unsigned() }
  const size = shape.slots * shape.chips * shape.metrics
  // A number for each slot and a form for each metric of each chip are there in any case.
  if (size > MOST_PLACES || shape.slots > body.length || shape.chips * shape.metrics > body.length) {
    throw new DamagedReadings('impossible shape')
  }
  const rollup = {
    ...shape,
    count: new Uint32Array(size),
    min: new Float64Array(size),
    mean: new Float64Array(size),
    max: new Float64Array(size),
  }
  const samples = Uint32Array.from({ length: shape.slots }, () => reader.unsigned())
  for (let metric = 0; metric < shape.metrics; metric += 1) readMetric(reader, rollup, metric, samples)
  reader.end()
  return rollup
}

function readMetric(reader: ByteReader, rollup: Rollup, metric: number, samples: Uint32Array): void {
  const columns = Array.from({ length: rollup.chips }, (_, chip) =>
    readForm(reader, rollup, placeOf(rollup, metric, chip, 0), samples),
  )
  for (const { places, grid } of columns) {
    let before = 0
    for (const at of places) {
      before += reader.signed() * grid
      rollup.min[at] = before
    }
  }
  for (const { places, grid } of columns) {
    for (const at of places) rollup.max[at] = (rollup.min[at] ?? 0) + reader.unsigned() * grid
  }
  for (const at of columns.flatMap(({ places }) => places)) {
    const min = rollup.min[at] ?? 0
    const max = rollup.max[at] ?? 0
    rollup.mean[at] = min === max ? min : middleOf(min, max) + reader.signed()
  }
}

function readForm(reader: ByteReader, rollup: Rollup, start: number, samples: Uint32Array): Column {
  const form = reader.byte()
  if (form > SPARSE) throw new DamagedReadings('unknown form of a column')
  if (form === EMPTY) return NOTHING_MORE
  const constant = form === CONSTANT ? reader.signed() : null
  const counts = form === SPARSE ? samples.map(() => reader.unsigned()) : samples
  const places = placesOf(counts, start)
  rollup.count.set(counts, start)
  if (constant === null) return { places, grid: reader.unsigned() }
  for (const codes of [rollup.min, rollup.mean, rollup.max]) for (const at of places) codes[at] = constant
  return NOTHING_MORE
}

/** FNV-1a: finds what a disk or a careless hand changed, not what somebody forged. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
