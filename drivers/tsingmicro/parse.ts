import { findBdf, findCelsius, findMemory, findPower, findRatio, linesOf } from '../lines.ts'
import { countOrNull, normalizePciAddress, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'

/**
 * `tsm_smi`: one row a chip. Newer tools print the card in the first cell and its chips in the rows below with an
 * empty first cell; only one row of the older layout was seen in full, so cells are read by the shape of their text.
 */
export function parseTable(text: string): Reading[] {
  let card: { readonly number: string; readonly product: string | null } | null = null
  const found: Reading[] = []
  for (const line of linesOf(text)) {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length < 3) continue
    const head = /^(\d{1,4})\s+([A-Za-z]\S*)/.exec(cells[1] ?? '')
    if (head?.[1]) card = { number: head[1], product: textOrNull(head[2]) }
    const memory = findMemory(line)
    if (card === null || memory.used === null || findCelsius(line) === null) continue
    const chip = /^(\d{1,3})\s+\S+\s+-?\d/.exec(cells[2] ?? '')?.[1]
    found.push(
      chip === undefined
        ? { ...rowOf(line), index: countOrNull(card.number), product: card.product }
        : chipOf(line, card, chip),
    )
  }
  return found
}

function rowOf(line: string): Reading {
  const memory = findMemory(line)
  const power = findPower(line)
  return readingOf({
    pciAddress: normalizePciAddress(findBdf(line)),
    temperatureCelsius: findCelsius(line),
    powerWatts: power.draw,
    memoryUsedBytes: memory.used,
    memoryTotalBytes: memory.total,
    utilizationRatio: findRatio(line),
    extra: { powerLimitWatts: power.limit },
  })
}

/** The chip's number counts on its card, so it is no index of the machine. */
function chipOf(
  line: string,
  card: { readonly number: string; readonly product: string | null },
  chip: string,
): Reading {
  return {
    ...rowOf(line),
    product: card.product,
    uuid: `tsingmicro-card-${card.number}-chip-${chip}`,
    card: `card-${card.number}`,
    chipOnCard: countOrNull(chip),
  }
}
