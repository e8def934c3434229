import { ByteReader, ByteWriter, DamagedReadings } from './bytes.ts'
import { placeOf, type Rollup, type RollupShape } from './rollup.ts'

/**
 * A rollup as bytes for a general compressor to finish: numbers of one kind stand together, as differences in time,
 * so that what is steady is a run of zeros. Columns without any reading and columns that never change cost a byte.
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
const MOST_PLACES = 50_000_000

export function encodeRollup(rollup: Rollup): Uint8Array {
  const writer = new ByteWriter()
  writer.byte(VERSION)
  for (const size of [rollup.slots, rollup.chips, rollup.metrics]) writer.unsigned(size)
  const samples = samplesOf(rollup)
  for (const count of samples) writer.unsigned(count)
  for (let metric = 0; metric < rollup.metrics; metric += 1) writeMetric(writer, rollup, metric, samples)
  return writer.take()
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

function writeMetric(writer: ByteWriter, rollup: Rollup, metric: number, samples: Uint32Array): void {
  const forms = Array.from({ length: rollup.chips }, (_, chip) =>
    formOf(rollup, placeOf(rollup, metric, chip, 0), samples),
  )
  for (const form of forms) writer.byte(form)
  forms.forEach((form, chip) => {
    const start = placeOf(rollup, metric, chip, 0)
    if (form === CONSTANT) writer.signed(rollup.mean[start + firstSlot(samples)] ?? 0)
    if (form === SPARSE)
      for (let slot = 0; slot < rollup.slots; slot += 1) writer.unsigned(rollup.count[start + slot] ?? 0)
  })
  const eachReading = (write: (at: number, isFirst: boolean) => void) => {
    forms.forEach((form, chip) => {
      if (form < WHOLE) return
      const start = placeOf(rollup, metric, chip, 0)
      let isFirst = true
      for (let at = start; at < start + rollup.slots; at += 1) {
        if (rollup.count[at] === 0) continue
        write(at, isFirst)
        isFirst = false
      }
    })
  }
  let before = 0
  eachReading((at, isFirst) => {
    writer.signed((rollup.mean[at] ?? 0) - (isFirst ? 0 : before))
    before = rollup.mean[at] ?? 0
  })
  eachReading((at) => writer.unsigned((rollup.mean[at] ?? 0) - (rollup.min[at] ?? 0)))
  eachReading((at) => writer.unsigned((rollup.max[at] ?? 0) - (rollup.mean[at] ?? 0)))
}

const firstSlot = (samples: Uint32Array) =>
  Math.max(
    samples.findIndex((count) => count > 0),
    0,
  )

function formOf(rollup: Rollup, start: number, samples: Uint32Array): number {
  let isWhole = true
  let isEmpty = true
  let isConstant = true
  const first = rollup.mean[start + firstSlot(samples)]
  for (let slot = 0; slot < rollup.slots; slot += 1) {
    const at = start + slot
    const count = rollup.count[at] ?? 0
    if (count !== samples[slot]) isWhole = false
    if (count === 0) continue
    isEmpty = false
    if (rollup.min[at] !== first || rollup.max[at] !== first) isConstant = false
  }
  if (isEmpty) return EMPTY
  if (!isWhole) return SPARSE
  return isConstant ? CONSTANT : WHOLE
}

/** @throws DamagedReadings for bytes that cannot be a rollup */
export function decodeRollup(bytes: Uint8Array): Rollup {
  const reader = new ByteReader(bytes)
  if (reader.byte() !== VERSION) throw new DamagedReadings('unknown version')
  const shape: RollupShape = { slots: reader.unsigned(), chips: reader.unsigned(), metrics: reader.unsigned() }
  const size = shape.slots * shape.chips * shape.metrics
  // A form for each metric of each chip is there in any case.
  if (size > MOST_PLACES || shape.chips * shape.metrics > bytes.length) throw new DamagedReadings('impossible shape')
  const samples = Uint32Array.from({ length: shape.slots }, () => reader.unsigned())
  const rollup = {
    ...shape,
    count: new Uint32Array(size),
    min: new Float64Array(size),
    mean: new Float64Array(size),
    max: new Float64Array(size),
  }
  for (let metric = 0; metric < shape.metrics; metric += 1) readMetric(reader, rollup, metric, samples)
  reader.end()
  return rollup
}

function readMetric(reader: ByteReader, rollup: Rollup, metric: number, samples: Uint32Array): void {
  const forms = Array.from({ length: rollup.chips }, () => reader.byte())
  forms.forEach((form, chip) => {
    readForm(reader, rollup, form, { start: placeOf(rollup, metric, chip, 0), samples })
  })
  const eachReading = (read: (at: number, before: number) => void) => {
    forms.forEach((form, chip) => {
      if (form < WHOLE) return
      const start = placeOf(rollup, metric, chip, 0)
      let before = -1
      for (let at = start; at < start + rollup.slots; at += 1) {
        if (rollup.count[at] === 0) continue
        read(at, before)
        before = at
      }
    })
  }
  eachReading((at, before) => {
    rollup.mean[at] = reader.signed() + (before < 0 ? 0 : (rollup.mean[before] ?? 0))
  })
  eachReading((at) => {
    rollup.min[at] = (rollup.mean[at] ?? 0) - reader.unsigned()
  })
  eachReading((at) => {
    rollup.max[at] = (rollup.mean[at] ?? 0) + reader.unsigned()
  })
}

/** Number of readings in each slot, and the codes of what never changes. */
function readForm(
  reader: ByteReader,
  rollup: Rollup,
  form: number,
  { start, samples }: { readonly start: number; readonly samples: Uint32Array },
): void {
  if (form > SPARSE) throw new DamagedReadings('unknown form of a column')
  if (form === EMPTY) return
  if (form === SPARSE) {
    for (let slot = 0; slot < rollup.slots; slot += 1) rollup.count[start + slot] = reader.unsigned()
    return
  }
  rollup.count.set(samples, start)
  if (form !== CONSTANT) return
  const code = reader.signed()
  samples.forEach((count, slot) => {
    if (count > 0) for (const codes of [rollup.min, rollup.mean, rollup.max]) codes[start + slot] = code
  })
}
