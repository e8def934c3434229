import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { findBdf, findPower, linesOf } from '../lines.ts'
import { unlessSilent } from '../listing.ts'
import { ratioOf } from '../outputs.ts'
import { pairUp } from '../pairs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { parseSmiLog, pick } from '../smi-log.ts'

const MEBIBYTE = 2 ** 20

/** Boards with two chips behind a switch of their own, listed as two cards. */
const isDual = (product: string): boolean => /^MLU370-X8\b/i.test(product)

const finish = (readings: readonly Reading[]): Reading[] => pairUp('cambricon', readings.map(unlessSilent), isDual)

/** `Ecc-Error` counts errors without saying of which kind: none at all is certain to be none uncorrected. */
function eccOf(count: number | null): Partial<Reading> {
  if (count === null) return {}
  if (count === 0) return { eccErrorsUncorrected: 0 }
  return {
    health: 'degraded',
    reasons: [{ code: 'health-reported', params: { tool: 'cnmon', value: `Ecc-Error ${count}` } }],
  }
}

/** Card, function, name and firmware: `0     /   MLU370-X4    v1.1.6`. */
const IDENTITY =
  /^(\d{1,4})\s+(?:\S{0,8}\/\s*|\d{1,3}\s+)?([A-Za-z][\w.+ -]{1,40}?)(?:\s{1,20}(v\d[\w.-]{0,20}|N\/A))?$/

/** The table. Two lines a card; the second cell of the first is an address since 5.x, before it was `On  v4.20.11`. */
export function parseTable(text: string): Reading[] {
  const driver = textOrNull(/^\|?.*\bDriver\s+(v\d\S{0,20})/m.exec(text)?.[1])
  const cards: { cells: readonly string[]; identity: RegExpExecArray; rest: string[][] }[] = []
  let heads: readonly string[] = []
  for (const line of linesOf(text)) {
    if (/^\s*\|\s*processes/i.test(line)) break
    if (!line.trim().startsWith('|')) continue
    const cells = line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim())
    if (/Memory-Usage/i.test(line)) heads = cells
    const identity = IDENTITY.exec(cells[0] ?? '')
    if (identity && cells.length >= 2 && isSecondCell(cells[1] ?? '')) cards.push({ cells, identity, rest: [] })
    else cards.at(-1)?.rest.push(cells)
  }
  const memoryAt = heads.findIndex((head) => /(?:^|\s)Memory-Usage/i.test(head))
  return finish(cards.map((card) => readCard(card.cells, card.identity, card.rest, memoryAt, driver)))
}

const isSecondCell = (cell: string): boolean => findBdf(cell) !== null || /^(?:On|Off|N\/A)\b/i.test(cell)

function readCard(
  cells: readonly string[],
  identity: RegExpExecArray,
  rest: readonly string[][],
  memoryAt: number,
  driver: string | null,
): Reading {
  const below = rest.flat()
  const memory = memoryOf(rest.flatMap((row) => row[memoryAt] ?? [])) ?? memoryOf(below)
  const power = findPower(below.find((cell) => /\bW\b/.test(cell)) ?? '')
  const state = cells.slice(2).join(' ')
  return readingOf({
    index: Number(identity[1]),
    product: textOrNull(identity[2]),
    pciAddress: normalizePciAddress(findBdf(cells[1] ?? '')),
    utilizationRatio: ratioOf(numberOrNull(/(\d{1,3}(?:\.\d+)?)\s?%/.exec(state)?.[1])),
    temperatureCelsius: numberOrNull(/(?<![\w.])(\d{1,3}(?:\.\d+)?)\s?C\b/.exec(below.join('  '))?.[1]),
    powerWatts: power.draw,
    memoryUsedBytes: memory?.used ?? null,
    memoryTotalBytes: memory?.total ?? null,
    driverVersion: driver ?? textOrNull(/\b(v\d[\w.-]{0,20})$/.exec(cells[1] ?? '')?.[1]),
    firmwareVersion: textOrNull(identity[3]),
    ...eccOf(countOrNull(/%\s+(\d{1,9})$/.exec(state)?.[1])),
    extra: {
      powerLimitWatts: power.limit,
      mode: below.map((cell) => /^(FULL|sMLU|MIM)\b/i.exec(cell)?.[1]).find((mode) => mode !== undefined) ?? null,
      computeMode: below.map((cell) => /\b(Default|Exclusive|Prohibited)\b/i.exec(cell)?.[1]).find(Boolean) ?? null,
    },
  })
}

function memoryOf(cells: readonly string[]): { used: number | null; total: number | null } | null {
  const match = cells
    .map((cell) => /(\d{1,9})\s*MiB\s*\/\s*(\d{1,9})\s*MiB/i.exec(cell))
    .find((found) => found !== null)
  return match ? { used: bytesOrNull(match[1], MEBIBYTE), total: bytesOrNull(match[2], MEBIBYTE) } : null
}

/** `cnmon_info.json`, which `cnmon info -j` leaves in its working directory. */
export function parseJson(text: string): Reading[] {
  const document = parseLooseJson(text)
  const cards = isRecord(document)
    ? Object.entries(document).find(([key]) => /^cnmon_?info$/i.test(key))?.[1]
    : document
  if (!Array.isArray(cards)) return []
  return finish(
    cards
      .filter(isRecord)
      .filter((card) => /mlu|card/i.test(Object.keys(card).join() + String(card.ProductName)))
      .map((card) => readRecord(flatten(card))),
  )
}

function readRecord(values: ReadonlyMap<string, string>): Reading {
  const find = (...names: readonly (string | RegExp)[]): string | undefined => pick(values, ...names)
  return readingOf({
    index: countOrNull(find('cardnum', 'card', /^card ?(?:id|index)$/)),
    uuid: textOrNull(find('uuid', /uuid$/)),
    serial: textOrNull(find('sn', /serial/)),
    product: textOrNull(find('productname', /product ?name/)),
    pciAddress: addressOf(find),
    memoryTotalBytes: bytesOrNull(find(/^physicalmemusage\.total$/, /physical.*mem.*total$/), MEBIBYTE),
    memoryUsedBytes: bytesOrNull(find(/^physicalmemusage\.used$/, /physical.*mem.*used$/), MEBIBYTE),
    utilizationRatio: ratioOf(numberOrNull(find(/mlu ?average$/))),
    temperatureCelsius: numberOrNull(find(/temperature\.chip$/, /temperature.*chip/, /temperature\.board$/)),
    powerWatts: numberOrNull(find(/power(?:usage)?\.(?:usage|draw|instantaneous)$/, /power.*usage$/)),
    driverVersion: textOrNull(find(/^driver(?:version)?$/, /driver ?version/)),
    firmwareVersion: textOrNull(find(/^(?:firmware|mcu)(?:version)?$/)),
    linkWidth: countOrNull(find(/currentwidth$/)?.replace(/^x/i, '')),
    linkWidthMax: countOrNull(find(/maxwidth$/)?.replace(/^x/i, '')),
    extra: { powerLimitWatts: numberOrNull(find(/power.*\.cap$/)) },
  })
}

/** The parts of the address are apart, in hexadecimal. */
function addressOf(find: (...names: readonly (string | RegExp)[]) => string | undefined): string | null {
  const whole = find(/bus ?-?id$/)
  if (whole !== undefined && normalizePciAddress(whole) !== null) return normalizePciAddress(whole)
  const part = (name: RegExp): string | undefined => find(name)?.trim().replace(/^0x/i, '')
  const [domain, bus, device] = [part(/pci[./].*domain/), part(/pci[./]bus/), part(/pci[./]device/)]
  if (bus === undefined || device === undefined) return null
  return normalizePciAddress(`${domain ?? '0000'}:${bus}:${device}.${part(/pci[./]function/) ?? '0'}`)
}

/** `cnmon info` as text: a block for each card, names under headings. */
export function parseText(text: string): Reading[] {
  const log = parseSmiLog(text, /^card[\s.:]{0,40}\d{1,4}$/i)
  return finish(
    log.blocks.map(({ title, values }) => {
      const find = (...names: readonly (string | RegExp)[]): string | undefined => pick(values, ...names)
      return readingOf({
        index: countOrNull(/\d{1,4}$/.exec(title)?.[0]),
        uuid: textOrNull(find('uuid', /\/uuid$/)),
        serial: textOrNull(find('sn', /serial/)),
        product: textOrNull(find(/product name/, /^product/)),
        pciAddress: addressOf(find),
        memoryTotalBytes: bytesOrNull(find(/physical memory usage\/total/), MEBIBYTE),
        memoryUsedBytes: bytesOrNull(find(/physical memory usage\/used/), MEBIBYTE),
        utilizationRatio: ratioOf(numberOrNull(find(/mlu average/))),
        temperatureCelsius: numberOrNull(find(/temperature\/chip$/, /temperature\/.*chip/, 'chip')),
        powerWatts: numberOrNull(find(/power\/usage/, /power.*usage/)),
        driverVersion: textOrNull(find(/driver/)),
        firmwareVersion: textOrNull(find(/firmware|mcu/)),
        extra: { powerLimitWatts: numberOrNull(find(/power\/cap/)) },
      })
    }),
  )
}

/** One card told in a sentence, as people write it into reports. */
export function parseSentence(text: string): Reading[] {
  const product = /\bMLU\d{3}(?:-[A-Z0-9]{1,10})?\b/.exec(text)?.[0]
  const address = findBdf(text)
  if (product === undefined || address === null || text.includes('|') || text.length > 4_096) return []
  const memory = /(\d{1,9})\s*\/\s*(\d{1,9})\s*MiB/.exec(text)
  return [
    readingOf({
      product,
      pciAddress: normalizePciAddress(address),
      memoryUsedBytes: bytesOrNull(memory?.[1], MEBIBYTE),
      memoryTotalBytes: bytesOrNull(memory?.[2], MEBIBYTE),
      utilizationRatio: ratioOf(numberOrNull(/(\d{1,3})\s?%/.exec(text)?.[1])),
      firmwareVersion: textOrNull(/firmware\s+(v[\w.]{1,20})/i.exec(text)?.[1]),
      driverVersion: textOrNull(/driver\s+(v[\w.]{1,20})/i.exec(text)?.[1]),
      health: 'unknown',
      extra: { mode: /\bmode\s+(\w{1,20})/i.exec(text)?.[1] ?? null },
    }),
  ]
}
