import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { findBdf, findPower, linesOf } from '../lines.ts'
import { unlessSilent } from '../listing.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { type LogBlock, parseSmiLog, pick } from '../smi-log.ts'

/** `-q --json`. Values are texts with units, and some keys end with a blank. */
export function parseJson(text: string): Reading[] {
  const document = parseLooseJson(text)
  if (!isRecord(document)) return []
  const driverVersion = textOrNull(pick(flatten({ ...document, GPU: null, gpus: null }), /driver[ _]version/))
  const devices = Object.entries(document).find(
    ([key, value]) => /^(?:gpus?|devices)$/i.test(key.trim()) && Array.isArray(value),
  )?.[1]
  if (!Array.isArray(devices)) return []
  return devices.filter(isRecord).map((device) => unlessSilent(readDevice(flatten(device), driverVersion)))
}

/** One device's values by path; the same names in `-q` as text and as JSON. */
function readDevice(values: ReadonlyMap<string, string>, driverVersion: string | null): Reading {
  const find = (...names: readonly (string | RegExp)[]): string | undefined => pick(values, ...names)
  return readingOf({
    index: countOrNull(find('index', /(?:^|[./])(?:gpu )?index$/, 'id')),
    uuid: textOrNull(find(/uuid$/)),
    serial: textOrNull(find(/serial/)),
    pciAddress: normalizePciAddress(find(/bus[ _]id$/)),
    product: textOrNull(find('product name', 'product_name', 'name')),
    memoryTotalBytes: bytesOrNull(find(/^(?:fb[ _]?)?memory(?:[ _]usage)?[./ _]total$/), 2 ** 20),
    memoryUsedBytes: bytesOrNull(find(/^(?:fb[ _]?)?memory(?:[ _]usage)?[./ _]used$/), 2 ** 20),
    utilizationRatio: ratioOf(numberOrNull(find(/^utili[sz]ation[./ _]gpu$/, /gpu[ _]util/))),
    temperatureCelsius: numberOrNull(find(/gpu current temp/, /^temperature(?:[./ _](?:gpu|current))?$/)),
    powerWatts: numberOrNull(find(/power draw$/, /power_draw$/)),
    driverVersion,
    firmwareVersion: textOrNull(find(/mtbios version/, /bios/)),
    eccErrorsUncorrected: countOrNull(find(/uncorrect/)),
    linkWidth: countOrNull(find(/link width[./]current$/, /current link width/)),
    linkWidthMax: countOrNull(find(/link width[./]max$/, /max link width/)),
    extra: {
      powerLimitWatts: numberOrNull(find(/power limit$/)),
      memoryUtilizationRatio: ratioOf(numberOrNull(find(/^utili[sz]ation[./ _]memory$/))),
      performanceState: textOrNull(find(/performance state/)),
    },
  })
}

/** `-q` without `--json`: the same names under headings. */
export function parseLog(text: string): Reading[] {
  const log = parseSmiLog(text, /^GPU\s*#?\s*(?:\d{1,3}|[0-9a-f:.]{7,16})\s*:?$/i)
  const driverVersion = textOrNull(pick(log.preamble, 'driver version'))
  return log.blocks.map(({ title, values }: LogBlock) => {
    const reading = readDevice(values, driverVersion)
    const index = reading.index ?? countOrNull(/^GPU\s*#?\s*(\d{1,3})\s*:?$/i.exec(title)?.[1])
    return unlessSilent({ ...reading, index, pciAddress: reading.pciAddress ?? normalizePciAddress(findBdf(title)) })
  })
}

/** First line of a card in the table: number, name, address, busy share and memory. */
const CARD =
  /^\s*\|?\s*(\d{1,4})\s+(\S[^|]{0,80}?)\s*\|\s*((?:[0-9a-f]{1,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\s*\|(.*)$/i

/** The table: two lines a card in 1.8, three since 1.14; what follows a card's first line belongs to it. */
export function parseTable(text: string): Reading[] {
  const driverVersion = textOrNull(/driver version\s*:\s*(\S+)/i.exec(text)?.[1])
  const cards: { match: RegExpExecArray; rest: string[] }[] = []
  for (const line of linesOf(text)) {
    if (/^\s*\|?\s*processes/i.test(line)) break
    const match = CARD.exec(line)
    if (match) cards.push({ match, rest: [] })
    else cards.at(-1)?.rest.push(line)
  }
  return cards.map(({ match, rest }) => unlessSilent(readCard(match, rest, driverVersion)))
}

function readCard(match: RegExpExecArray, rest: readonly string[], driverVersion: string | null): Reading {
  const below = rest.join('\n')
  const cells = match[4] ?? ''
  const memory = /([\d.]{1,12}\s?[KMG]i?B)\s*\(\s*([\d.]{1,12}\s?[KMG]i?B)\s*\)/i.exec(cells)
  const width = /(?<!\d)(\d{1,2})x\s*\(\s*(\d{1,2})x\s*\)/i.exec(below)
  const power = findPower(below)
  return readingOf({
    index: Number(match[1]),
    product: textOrNull(match[2]),
    pciAddress: normalizePciAddress(match[3]),
    memoryUsedBytes: bytesOrNull(memory?.[1]),
    memoryTotalBytes: bytesOrNull(memory?.[2]),
    utilizationRatio: ratioOf(numberOrNull(/(\d{1,3}(?:\.\d+)?)\s?%/.exec(cells)?.[1])),
    temperatureCelsius: numberOrNull(/(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?C\b/.exec(below)?.[1]),
    powerWatts: power.draw,
    driverVersion,
    linkWidth: countOrNull(width?.[1]),
    linkWidthMax: countOrNull(width?.[2]),
    extra: {
      deviceType: /Physical|MPC \w+|Virtual|vGPU/i.exec(below)?.[0] ?? null,
      performanceState: /(?<=\s)P\d{1,2}(?=\s)/.exec(below)?.[0] ?? null,
      mpcCapable: /C\s+(YES|NO)\b/i.exec(below)?.[1]?.toUpperCase() ?? null,
      powerLimitWatts: power.limit,
    },
  })
}
