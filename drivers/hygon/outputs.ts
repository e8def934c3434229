import type { Fact } from '@medley/fleet'
import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { linesOf } from '../lines.ts'
import { unlessSilent } from '../listing.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { pick } from '../smi-log.ts'

/** `--json`: `{"card0": {...}}`. Names changed from DCU to HCU, units stand in the names. */
export function parseJson(text: string): Reading[] {
  const document = parseLooseJson(text)
  if (!isRecord(document)) return []
  const system = isRecord(document.system) ? flatten(document.system) : new Map<string, string>()
  const driverVersion = textOrNull(pick(system, /driver version/))
  return Object.entries(document).flatMap(([name, card]) => {
    const index = /^card(\d{1,4})$/i.exec(name.trim())?.[1]
    return index !== undefined && isRecord(card)
      ? [unlessSilent(readCard(Number(index), flatten(card), driverVersion))]
      : []
  })
}

function readCard(index: number, values: ReadonlyMap<string, string>, driverVersion: string | null): Reading {
  const find = (...names: readonly RegExp[]): string | undefined => pick(values, ...names)
  const use = find(/^[dh]cu use/, /^gpu use/)
  return readingOf({
    index,
    uuid: textOrNull(find(/^unique id/)),
    serial: textOrNull(find(/^serial number/)),
    product: textOrNull(find(/^card series/, /^product name/, /^card model/)),
    // Newer versions append "--> SN: ...".
    pciAddress: normalizePciAddress(find(/^pci bus/)),
    memoryTotalBytes: memoryOf(values, /^(?:vram|hbm) total memory/) ?? memoryOf(values, /^available memory size/),
    memoryUsedBytes: memoryOf(values, /^(?:vram|hbm) total used memory/),
    utilizationRatio: ratioOf(numberOrNull(use)),
    // The hottest spot of the die itself; the others stand beside it.
    temperatureCelsius: numberOrNull(find(/sensor junction/, /sensor edge/, /sensor core/, /^temperature/)),
    powerWatts: numberOrNull(find(/^average graphics package power/, /^current (?:socket )?graphics package power/)),
    driverVersion: textOrNull(find(/^driver version/)) ?? driverVersion,
    firmwareVersion: textOrNull(find(/^vbios version/)),
    extra: {
      deviceId: textOrNull(find(/^device id/))?.replace(/^0x/i, '') ?? null,
      powerLimitWatts: numberOrNull(find(/^max graphics package power/)),
      memoryUsageRatio: ratioOf(numberOrNull(find(/^[dh]cu memory use/, /^gpu memory use/))),
      edgeCelsius: numberOrNull(find(/sensor edge/)),
      memoryCelsius: numberOrNull(find(/sensor mem/)),
      coreCelsius: numberOrNull(find(/sensor core/)),
    },
  })
}

/** The unit is part of the name: `vram Total Memory (MiB)`, `VRAM Total Memory (B)`. */
function memoryOf(values: ReadonlyMap<string, string>, name: RegExp): number | null {
  for (const [key, value] of values) {
    if (!name.test(key)) continue
    return bytesOrNull(value, bytesOrNull(`1 ${/\((\w{1,4})\)$/.exec(key)?.[1] ?? 'B'}`) ?? 1)
  }
  return null
}

/** Cells by the header's words; a data line has as many cells as the header. */
export function parseTable(text: string): Reading[] {
  let names: readonly string[] = []
  const found: Reading[] = []
  for (const line of linesOf(text)) {
    const cells = line.trim().split(/\s+/)
    if (/^(?:[DH]CU|GPU)$/i.test(cells[0] ?? '') && cells.some((cell) => /^temp/i.test(cell))) {
      names = cells.map((cell) => cell.toLowerCase())
    } else if (cells.length === names.length && /^\d{1,4}$/.test(cells[0] ?? '')) {
      found.push(unlessSilent(readRow(new Map(names.map((name, at) => [name, cells[at] ?? ''])))))
    }
  }
  return found
}

function readRow(row: ReadonlyMap<string, string>): Reading {
  const power = numberOrNull(pick(row, 'avgpwr', /pwr$|^power$/))
  const busy = ratioOf(numberOrNull(pick(row, /^(?:[dh]cu|gpu)%$/)))
  const limit = numberOrNull(pick(row, /cap$/))
  return readingOf({
    index: countOrNull(pick(row, /^(?:[dh]cu|gpu)$/)),
    temperatureCelsius: numberOrNull(pick(row, /^temp/)),
    powerWatts: power,
    utilizationRatio: busy,
    extra: {
      powerLimitWatts: limit,
      memoryUsageRatio: ratioOf(numberOrNull(pick(row, /^(?:vram|hbm|mem)%$/))),
      decoderRatio: ratioOf(numberOrNull(pick(row, 'dec%'))),
      encoderRatio: ratioOf(numberOrNull(pick(row, 'enc%'))),
      performanceLevel: textOrNull(pick(row, 'perf')),
      mode: textOrNull(pick(row, 'mode')),
      // Some hosts print a few watts for a card that works hard; shown as printed, and marked.
      powerSuspect: power !== null && limit !== null && busy !== null && busy > 0.1 && power < limit / 20 ? true : null,
    },
  })
}

/** `--showmeminfo vram` and its like: `HCU[0] : vram Total Memory (MiB): 65520`. */
export function parseLines(text: string): Reading[] {
  const cards = new Map<number, Map<string, string>>()
  for (const line of linesOf(text)) {
    const match = /^\s*(?:[DH]CU|GPU|card)\s?\[(\d{1,4})\]\s*:\s*([^:]{1,60}?)\s*:\s*(.+)$/i.exec(line)
    if (!match?.[1]) continue
    const card = cards.get(Number(match[1])) ?? new Map<string, string>()
    cards.set(Number(match[1]), card.set((match[2] ?? '').toLowerCase(), match[3] ?? ''))
  }
  return [...cards].map(([index, values]) => {
    const reading = readCard(index, values, null)
    // One kind of reading says nothing of the card's state.
    return reading.temperatureCelsius === null && reading.powerWatts === null
      ? { ...reading, health: 'unknown' }
      : reading
  })
}

/** `rocminfo`: the agents that are accelerators. Several of its sizes are masked by those who publish it. */
export function parseAgents(text: string): { readonly readings: Reading[]; readonly facts: Record<string, Fact> } {
  const blocks = text.split(/^\*{3,}\s*\n\s*Agent \d+\s*\n\*{3,}\s*$/m).slice(1)
  const agents = blocks.map((block) => {
    const value = (name: string): string | null =>
      textOrNull(new RegExp(`^\\s*${name}:\\s*(\\S[^\\n]{0,80})`, 'm').exec(block)?.[1])
    const pools = [...block.matchAll(/Segment:\s*GLOBAL[^\n]{0,60}\n\s*Size:\s*(\d{1,15})/g)].map((match) =>
      Number(match[1]),
    )
    return { value, poolBytes: pools.length > 0 ? Math.max(...pools) * 1024 : null }
  })
  const chips = agents.filter(({ value }) => /^(?:DCU|HCU|GPU)$/i.test(value('Device Type') ?? ''))
  return {
    facts: { agents: agents.map(({ value }) => ({ name: value('Name'), type: value('Device Type') })) },
    readings: chips.map(({ value, poolBytes }) => {
      const architecture = value('Name')
      return readingOf({
        uuid: value('Uuid'),
        product: value('Marketing Name'),
        memoryTotalBytes: poolBytes,
        computeUnits: countOrNull(value('Compute Unit')),
        features: architecture === null ? [] : [architecture],
        health: 'unknown',
        extra: {
          node: countOrNull(value('Node')),
          deviceId: /0x([0-9a-f]{4})/i.exec(value('Chip ID') ?? '')?.[1] ?? null,
        },
      })
    }),
  }
}
