import { findBdf, linesOf } from './lines.ts'
import { ratioOf } from './outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'

/** One device's part of a log like `-q` prints: names with their headings before them, `power info/cur power`. */
export interface LogBlock {
  /** The line that opened the block. */
  readonly title: string
  readonly values: ReadonlyMap<string, string>
}

export interface SmiLog {
  /** What stands before the first device. */
  readonly preamble: ReadonlyMap<string, string>
  readonly blocks: readonly LogBlock[]
}

/**
 * Reads `Key : value` lines under headings (lines without a value), in blocks that begin with a line like `opens`.
 * Indentation is not relied on: copies of such logs lose it.
 */
export function parseSmiLog(text: string, opens: RegExp): SmiLog {
  const preamble = new Map<string, string>()
  const blocks: { title: string; values: Map<string, string> }[] = []
  let heading = ''
  for (const line of linesOf(text)) {
    const trimmed = line.trim()
    if (opens.test(trimmed)) {
      blocks.push({ title: trimmed, values: new Map() })
      heading = ''
      continue
    }
    const match = /^([^:]{1,60}?)\s*:(?:\s+(.*))?$/.exec(trimmed)
    const target = blocks.at(-1)?.values ?? preamble
    if (match?.[1] && match[2]) put(target, heading, match[1].toLowerCase(), match[2].trim())
    else if (/^[A-Za-z][\w ()/-]{1,40}:?$/.test(trimmed)) heading = trimmed.replace(/:$/, '').trim().toLowerCase()
  }
  return { preamble, blocks }
}

function put(target: Map<string, string>, heading: string, key: string, value: string): void {
  for (const name of [`${heading}/${key}`, key]) if (!target.has(name)) target.set(name, value)
}

/** The first value that any of `names` has. */
export function pick(values: ReadonlyMap<string, string>, ...names: readonly (string | RegExp)[]): string | undefined {
  for (const name of names) {
    if (typeof name === 'string') {
      if (values.has(name)) return values.get(name)
      continue
    }
    for (const [key, value] of values) if (name.test(key)) return value
  }
  return undefined
}

/** Readings of a `-q` log whose blocks are named by PCI address, as several vendors print it. */
export function logReadings(text: string, opens: RegExp): Reading[] {
  const { preamble, blocks } = parseSmiLog(text, opens)
  return blocks.map(({ title, values }) =>
    readingOf({
      index: countOrNull(/^\[(\d+)\]/.exec(title)?.[1] ?? pick(values, 'index', 'minor number')),
      pciAddress: normalizePciAddress(findBdf(title) ?? findBdf(pick(values, /bus ?id|bdf/) ?? '')),
      product: textOrNull(pick(values, 'product name')),
      uuid: textOrNull(pick(values, /uuid$/)),
      serial: textOrNull(pick(values, 'serial number')),
      driverVersion: textOrNull(pick(preamble, 'driver version')),
      firmwareVersion: textOrNull(pick(values, 'vbios version', /firmware.*version/)),
      memoryTotalBytes: bytesOrNull(pick(values, /memory usage\/total$/)),
      memoryUsedBytes: bytesOrNull(pick(values, /memory usage\/used$/)),
      utilizationRatio: ratioOf(numberOrNull(pick(values, /utilization\/(?!mem|enc|dec)\w+$/))),
      temperatureCelsius: numberOrNull(pick(values, /current temp$/, /temperature\/(?:device|gpu|ppu|aip|chip)/)),
      powerWatts: numberOrNull(pick(values, /power draw$/)),
      extra: { powerLimitWatts: numberOrNull(pick(values, /power limit$/, /power max$/)) },
    }),
  )
}
