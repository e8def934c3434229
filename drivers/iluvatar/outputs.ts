import { findBdf, findMemory, findPower, linesOf } from '../lines.ts'
import { unlessSilent } from '../listing.ts'
import { ratioOf } from '../outputs.ts'
import { pairUp } from '../pairs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { parseQueryCsv } from '../query-csv.ts'
import { type Reading, readingOf } from '../reading.ts'
import { parseSmiLog, pick } from '../smi-log.ts'

/** Cards with two chips; power is measured for the card and printed at the second of them. */
const isDual = (product: string): boolean => /BI-V150|DUO/i.test(product)

const finish = (readings: readonly Reading[]): Reading[] => pairUp('iluvatar', readings.map(unlessSilent), isDual)

const PRODUCT = /(?:^|\s)(?:BI|MR)-V\d+\w*|iluvatar/i

export function parseQuery(text: string, command?: string): Reading[] {
  return finish(parseQueryCsv(text, PRODUCT, command))
}

/** First line of a chip in the table: number, name, address. Copies may have lost the frame around it. */
const CHIP = /^\s*\|?\s*(\d{1,4})\s+([A-Za-z][^|]{0,60}?)\s*\|\s*((?:[0-9a-f]{1,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/i

export function parseTable(text: string): Reading[] {
  const driverVersion = textOrNull(/Driver Version\s*:\s*([^\s|]{1,40})/i.exec(text)?.[1])
  const chips: { match: RegExpExecArray; line: string; rest: string[] }[] = []
  for (const line of linesOf(text)) {
    if (/\|?\s*processes\s*:/i.test(line)) break
    const match = CHIP.exec(line)
    if (match) chips.push({ match, line, rest: [] })
    else chips.at(-1)?.rest.push(line)
  }
  return finish(chips.map(({ match, line, rest }) => readChip(match, line, rest.join('\n'), driverVersion)))
}

function readChip(match: RegExpExecArray, line: string, below: string, driverVersion: string | null): Reading {
  const cells = below.split('|')
  const memoryCell = cells.find((cell) => /\dMiB\s*\//i.test(cell)) ?? ''
  const memory = findMemory(memoryCell)
  const power = findPower(cells.find((cell) => /\d\s?W\b/.test(cell)) ?? '')
  // The fan is a percentage too, before the memory; the busy share stands after it.
  const busy = cells.slice(cells.indexOf(memoryCell) + 1).find((cell) => /\d\s?%/.test(cell))
  const [clock] = /\d{2,5}\s?MHz/i.exec(line) ?? []
  const failing = /ERR!|is lost/i.test(below)
  return readingOf({
    // The word of a card that does not answer any more.
    ...(failing
      ? { health: 'lost', reasons: [{ code: 'health-reported', params: { tool: 'ixsmi', value: 'ERR!' } }] }
      : {}),
    index: Number(match[1]),
    product: textOrNull(match[2]),
    pciAddress: normalizePciAddress(match[3]),
    memoryUsedBytes: memory.used,
    memoryTotalBytes: memory.total,
    utilizationRatio: memoryCell === '' ? null : ratioOf(numberOrNull(busy)),
    temperatureCelsius: numberOrNull(/(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?C\b/.exec(below)?.[1]),
    powerWatts: power.draw,
    driverVersion,
    extra: {
      powerLimitWatts: power.limit,
      performanceState: /\bP\d{1,2}\b/.exec(below)?.[0] ?? null,
      clockMegahertz: numberOrNull(clock),
      computeMode: /\b(Default|Exclusive\w*|Prohibited)\b/i.exec(below)?.[1] ?? null,
    },
  })
}

/** `-q`, in blocks that begin with `GPU <address>`, or one chip's values as a person copied them. */
export function parseLog(text: string): Reading[] {
  const log = parseSmiLog(text, /^GPU\s*:?\s*(?:\d{1,4}|[0-9a-f:.]{7,16})\s*:?$/i)
  const blocks = log.blocks.length > 0 ? log.blocks : [{ title: '', values: log.preamble }]
  const driver = textOrNull(pick(log.preamble, 'driver version'))
  return finish(
    blocks.flatMap(({ title, values }) => {
      const find = (...names: readonly (string | RegExp)[]): string | undefined => pick(values, ...names)
      const product = textOrNull(find('product name'))
      const uuid = textOrNull(find(/uuid$/))
      if (product === null && uuid === null) return []
      const node = find('device node')
      return [
        readingOf({
          index: countOrNull(find('index')) ?? countOrNull(/^GPU\s*:?\s*(\d{1,4})\s*:?$/i.exec(title)?.[1]),
          uuid,
          serial: textOrNull(find('serial number')),
          product,
          pciAddress: normalizePciAddress(find(/(?:bus id|pci bus id)$/) ?? findBdf(title)),
          memoryTotalBytes: bytesOrNull(find(/memory usage\/total$/), 2 ** 20),
          memoryUsedBytes: bytesOrNull(find(/memory usage\/used$/), 2 ** 20),
          utilizationRatio: ratioOf(numberOrNull(find('utilization/gpu', /gpu util/))),
          temperatureCelsius: numberOrNull(find(/gpu current temp/, /temperature\/gpu/)),
          powerWatts: numberOrNull(find(/power draw$/)),
          driverVersion: textOrNull(find('driver version')) ?? driver,
          firmwareVersion: textOrNull(find('vbios version')),
          eccErrorsUncorrected: countOrNull(find(/uncorrect/)),
          // The number of the device file is the driver's own, not the index.
          extra: {
            minor: countOrNull(find('minor number') ?? /(\d{1,4})$/.exec(node ?? '')?.[1]),
            eccMode: textOrNull(find('ecc mode', /ecc mode\/current/)),
            boardPartNumber: textOrNull(find('board part number')),
            powerLimitWatts: numberOrNull(find(/power limit$/)),
          },
        }),
      ]
    }),
  )
}
