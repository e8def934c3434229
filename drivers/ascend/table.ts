import type { ChipFacts } from '@medley/fleet/protocol'
import { chipOf, ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { cardsOf, healthOf } from './health.ts'

export const MEBIBYTE = 2 ** 20

/** Names of the third cell's values, from the two header lines; empty where an excerpt lost them. */
interface Columns {
  readonly first: readonly string[]
  readonly second: readonly string[]
  readonly inner: string
}

/**
 * The table of `npu-smi info`. Two lines per chip: one opens it (NPU, name, health), the next, whose second cell is
 * an address, closes it. Rows of processes look like rows of devices and end the reading.
 */
export function parseTable(text: string): readonly ChipFacts[] {
  const driverVersion = textOrNull(/\bnpu-smi\s+\S+\s+Version:\s*(\S+)/.exec(text)?.[1])
  let columns: Columns = { first: [], second: [], inner: '' }
  let opened: readonly string[] | null = null
  const chips: ChipFacts[] = []
  for (const line of text.split('\n')) {
    if (!line.trimStart().startsWith('|')) continue
    const cells = line
      .trim()
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => cell.trim())
    if (/process id/i.test(line)) break
    if (/^(?:NPU|Chip)\s/.test(cells[0] ?? '') && cells.length >= 3) columns = withHeader(columns, cells)
    else if (opened !== null && isAddressCell(cells)) {
      chips.push(chipOfRows(opened, cells, columns, driverVersion))
      opened = null
    } else opened = opensChip(cells) ? cells : opened
  }
  return cardsOf(chips)
}

function withHeader(columns: Columns, cells: readonly string[]): Columns {
  const names = (cells[2] ?? '').toLowerCase().split(/\s+/)
  const [id, inner] = (cells[0] ?? '').split(/\s+/)
  return id === 'NPU' ? { ...columns, first: names } : { ...columns, second: names, inner: inner?.toLowerCase() ?? '' }
}

function opensChip(cells: readonly string[]): boolean {
  const [id, ...name] = (cells[0] ?? '').split(/\s+/)
  const health = cells[1] ?? ''
  return /^\d{1,5}$/.test(id ?? '') && name.length > 0 && cells.length >= 3 && /^[a-z][a-z ]{0,20}$/i.test(health)
}

function isAddressCell(cells: readonly string[]): boolean {
  const cell = cells[1] ?? ''
  return /^\d{1,3}(?:\s|$)/.test(cells[0] ?? '') && (normalizePciAddress(cell) !== null || /^n\/?a$/i.test(cell))
}

/** Values of the third cell; `a / b` is one value. */
function valuesOf(cell: string | undefined): readonly string[] {
  return (cell ?? '').match(/[^\s/]+\s*\/\s*[^\s/]+|[^\s/]+/g) ?? []
}

function namedValue(
  values: readonly string[],
  names: readonly string[],
  name: string,
  otherwise: number,
): string | null {
  const at = names.findIndex((candidate) => candidate.startsWith(name))
  return values[at < 0 ? otherwise : at] ?? null
}

function chipOfRows(
  first: readonly string[],
  second: readonly string[],
  columns: Columns,
  driverVersion: string | null,
): ChipFacts {
  const [npu, ...name] = (first[0] ?? '').split(/\s+/)
  const [chip, inner] = (second[0] ?? '').split(/\s+/)
  const [upper, lower] = [valuesOf(first[2]), valuesOf(second[2])]
  const npuId = countOrNull(npu)
  const physicalId = countOrNull(inner) ?? npuId
  const power = numberOrNull(namedValue(upper, columns.first, 'power', 0))
  const memory = memoryOf(lower)
  return chipOf({
    vendor: 'ascend',
    // The number by which a process asks for the chip; NPU numbers the card, which may carry several.
    index: physicalId,
    product: textOrNull(name.join(' ')) ?? '',
    pciAddress: normalizePciAddress(second[1]),
    cardKey: `npu-${npuId ?? 'unknown'}`,
    chipOnCard: countOrNull(chip) ?? 0,
    ...memory,
    utilizationRatio: ratioOf(numberOrNull(namedValue(lower, columns.second, 'aicore', 0))),
    temperatureCelsius: numberOrNull(namedValue(upper, columns.first, 'temp', 1)),
    powerWatts: power,
    ...healthOf(first[1] ?? ''),
    driverVersion,
    extra: { npuId, physicalId, logicId: null, reportedHealth: textOrNull(first[1]) },
  })
}

/**
 * Used and total of the last `a / b`: HBM where the chip has some, else DDR. A version's header may lack the HBM
 * column that its rows have. `0 / 0` is memory the chip does not have. "MB" means MiB.
 */
function memoryOf(values: readonly string[]): Pick<ChipFacts, 'memoryTotalBytes' | 'memoryUsedBytes'> {
  const pairs = values.filter((value) => value.includes('/')).map((value) => value.split('/'))
  const [used, total] = pairs.findLast(([, all]) => (numberOrNull(all) ?? 0) > 0) ?? []
  return { memoryTotalBytes: bytesOrNull(total, MEBIBYTE), memoryUsedBytes: bytesOrNull(used, MEBIBYTE) }
}
