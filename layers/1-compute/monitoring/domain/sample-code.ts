import { ByteReader, type ByteWriter, DamagedReadings } from './bytes.ts'

/**
 * One sample of a node as bytes: the form of each metric's column (two bits), then the columns, chip after chip, as
 * differences. What is the same on all chips is written once, what no chip reports not at all.
 */
export interface SampleShape {
  readonly chips: number
  readonly metrics: number
}

const VERSION = 1
const EMPTY = 0
const SAME = 1
const FULL = 2
const HOLED = 3

/** @param codes metric after metric, in each one code a chip; `NaN` for unknown */
export function encodeSample(codes: Float64Array, { chips, metrics }: SampleShape, writer: ByteWriter): Uint8Array {
  writer.byte(VERSION)
  const forms = Array.from({ length: metrics }, (_, metric) =>
    formOf(codes.subarray(metric * chips, (metric + 1) * chips)),
  )
  for (let at = 0; at < metrics; at += 4) {
    writer.byte(forms.slice(at, at + 4).reduce((byte, form, place) => byte | (form << (place * 2)), 0))
  }
  forms.forEach((form, metric) => {
    writeColumn(writer, form, codes.subarray(metric * chips, (metric + 1) * chips))
  })
  return writer.take()
}

function formOf(column: Float64Array): number {
  const unknown = column.reduce((count, code) => count + (Number.isNaN(code) ? 1 : 0), 0)
  if (unknown === column.length) return EMPTY
  if (unknown > 0) return HOLED
  return column.every((code) => code === column[0]) ? SAME : FULL
}

function writeColumn(writer: ByteWriter, form: number, column: Float64Array): void {
  if (form === EMPTY) return
  if (form === SAME) {
    writer.signed(column[0] ?? 0)
    return
  }
  if (form === HOLED) {
    for (let at = 0; at < column.length; at += 8) {
      writer.byte(
        column.subarray(at, at + 8).reduce((byte, code, bit) => byte | (Number.isNaN(code) ? 0 : 1 << bit), 0),
      )
    }
  }
  let before = 0
  for (const code of column) {
    if (Number.isNaN(code)) continue
    writer.signed(code - before)
    before = code
  }
}

/** @throws DamagedReadings for bytes that cannot be a sample of this shape */
export function decodeSample(bytes: Uint8Array, { chips, metrics }: SampleShape): Float64Array {
  const reader = new ByteReader(bytes)
  if (reader.byte() !== VERSION) throw new DamagedReadings('unknown version')
  const forms: number[] = []
  for (let at = 0; at < metrics; at += 4) {
    const byte = reader.byte()
    for (let place = 0; place < 4; place += 1) forms.push((byte >> (place * 2)) & 3)
  }
  const codes = new Float64Array(chips * metrics).fill(Number.NaN)
  for (let metric = 0; metric < metrics; metric += 1) {
    readColumn(reader, forms[metric] ?? EMPTY, codes.subarray(metric * chips, (metric + 1) * chips))
  }
  reader.end()
  return codes
}

function readColumn(reader: ByteReader, form: number, column: Float64Array): void {
  if (form === EMPTY) return
  if (form === SAME) {
    column.fill(reader.signed())
    return
  }
  const present: number[] = []
  if (form === HOLED) for (let at = 0; at < column.length; at += 8) present.push(reader.byte())
  let before = 0
  for (let chip = 0; chip < column.length; chip += 1) {
    if (form === HOLED && (((present[chip >> 3] ?? 0) >> (chip & 7)) & 1) === 0) continue
    before += reader.signed()
    column[chip] = before
  }
}
