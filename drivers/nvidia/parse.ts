import type { ChipSlice } from '@medley/fleet/protocol'
import { bytesOrNull, countOrNull, normalizePciAddress, parseCsv, textOrNull } from '../parsing.ts'

export type Row = ReadonlyMap<string, string>

export interface Listing {
  readonly rows: readonly Row[]
  /** Addresses of cards the tool could not open; `null` in a message that names none. */
  readonly unreachable: readonly (string | null)[]
  /** Lines that are no rows, for the reason shown to a person. */
  readonly messages: readonly string[]
}

/** Reads `--query-gpu=... --format=csv,nounits`, with the complaints that newer drivers mix into it. */
export function parseQuery(stdout: string, stderr: string): Listing {
  const { rows, other } = parseCsv(stdout, ['index', 'uuid'])
  const messages = [...other, ...stderr.split(/\r?\n/).map((line) => line.trim())].filter((line) => line !== '')
  const unreachable = messages
    .filter((line) => /unable to determine the device handle/i.test(line))
    .map((line) => normalizePciAddress(/(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i.exec(line)?.[0]))
  // A card that fell off the bus may keep its row with error words in every cell: no index, no chip.
  return { rows: rows.filter((row) => /^\d+$/.test(row.get('index') ?? '')), unreachable, messages }
}

export interface XmlGpu {
  readonly pciAddress: string | null
  readonly memoryTotalBytes: number | null
  readonly memoryUsedBytes: number | null
  readonly migMode: string | null
  readonly migDevices: number
  readonly minor: number | null
}

/**
 * Reads the few tags of `-q -x` that the CSV withholds inside containers. Public samples are not always well-formed,
 * so blocks are cut out by their tags instead of building a tree.
 */
export function parseXml(stdout: string): XmlGpu[] {
  return stdout
    .split(/<gpu\s+id="/)
    .slice(1)
    .map((block) => {
      const parts = block.split('<mig_device>')
      const outside = parts.map((part, index) => (index === 0 ? part : (part.split('</mig_device>')[1] ?? ''))).join('')
      const memory = tag(outside, 'fb_memory_usage') ?? ''
      return {
        pciAddress: normalizePciAddress(block.split('"')[0]),
        memoryTotalBytes: bytesOrNull(tag(memory, 'total')),
        memoryUsedBytes: bytesOrNull(tag(memory, 'used')),
        migMode: textOrNull(tag(outside, 'current_mig')),
        migDevices: parts.length - 1,
        minor: countOrNull(tag(outside, 'minor_number')),
      }
    })
}

function tag(text: string, name: string): string | null {
  const start = text.indexOf(`<${name}>`)
  const end = text.indexOf(`</${name}>`, start)
  return start < 0 || end < 0 ? null : text.slice(start + name.length + 2, end)
}

/**
 * Reads the slices of `-L` by the uuid of their chip: `MIG 1g.10gb Device 0: (UUID: MIG-...)` under
 * `GPU 0: ... (UUID: GPU-...)`. A profile's name says its compute parts and its memory in units of 10^9 bytes.
 */
export function parseSlices(stdout: string): ReadonlyMap<string, ChipSlice[]> {
  const found = new Map<string, ChipSlice[]>()
  let slices: ChipSlice[] = []
  for (const line of stdout.split(/\r?\n/)) {
    const chip = /^\s*GPU\s+\d+:.*\(UUID:\s*(GPU-[\w-]+)\)/.exec(line)?.[1]
    if (chip !== undefined) {
      slices = []
      found.set(chip, slices)
    }
    const slice = /^\s*MIG\s+(\S+)\s+Device\s+\d+:\s*\(UUID:\s*(MIG-[\w/-]+)\)/.exec(line)
    const [profile, uuid] = [slice?.[1], slice?.[2]]
    if (profile === undefined || uuid === undefined) continue
    const gigabytes = /\.(\d+)gb/i.exec(profile)?.[1]
    slices.push({
      uuid,
      profile,
      memoryBytes: gigabytes === undefined ? null : Number(gigabytes) * 1e9,
      computeUnits: null,
    })
  }
  return found
}
