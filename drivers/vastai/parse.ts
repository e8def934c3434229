import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, parseCsv, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { pick } from '../smi-log.ts'

/**
 * `vasmi pmon` as CSV: one row a process. What is used of a chip is what its processes use; without a process
 * (`Null` in place of the device) a row says nothing but that the card is there.
 */
export function parseProcesses(text: string): Reading[] {
  const { rows } = parseCsv(text, ['aic', 'pcie_bus_id'])
  const loops = rows.map((row) => countOrNull(row.get('looptimes')) ?? 0)
  // Every loop prints all processes again.
  const last = Math.max(0, ...loops)
  const chips = Map.groupBy(
    rows.filter((_, at) => loops[at] === last),
    (row) => `${row.get('pcie_bus_id')} ${row.get('aic')} ${row.get('devid')}`,
  )
  const severalOn = (card: string | undefined): boolean =>
    new Set(rows.filter((row) => row.get('aic') === card).map((row) => row.get('devid'))).size > 1
  return [...chips.values()].flatMap((processes) => {
    const [first] = processes
    const card = countOrNull(first?.get('aic'))
    if (!first || card === null) return []
    const device = countOrNull(first.get('devid'))
    const idle = device === null
    const used = processes.map((row) => bytesOrNull(row.get('gfx_mem')))
    const busy = processes.map((row) => numberOrNull(row.get('gfx')))
    const pciAddress = normalizePciAddress(first.get('pcie_bus_id'))
    return [
      readingOf({
        index: card,
        pciAddress,
        card: severalOn(first.get('aic')) ? `card-${card}` : null,
        chipOnCard: device,
        memoryUsedBytes: idle ? null : sum(used),
        utilizationRatio: idle ? null : ratioOf(sum(busy)),
        extra: { readingsFrom: 'processes', processes: idle ? 0 : processes.length },
      }),
    ]
  })
}

function sum(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null)
  return known.length === 0 ? null : known.reduce((total, figure) => total + figure, 0)
}

/** `{elem: [{pci_bus, sn, vals: {...: {value}}}]}` of `--display-format=json`; names differ by product line. */
export function parseElements(text: string): Reading[] {
  const document = parseLooseJson(text)
  if (!isRecord(document) || !Array.isArray(document.elem)) return []
  return document.elem.filter(isRecord).map((element) => {
    const values = flatten(element)
    const of = (name: RegExp): string | undefined => pick(values, new RegExp(`^vals\\.(?:${name.source})`))
    return readingOf({
      index: countOrNull(pick(values, 'aic', 'card_id', 'vals.aic')),
      pciAddress: normalizePciAddress(pick(values, 'pci_bus', 'vals.devbusid', 'vals.pcie_bus_id')),
      serial: textOrNull(pick(values, 'sn', 'vals.sn')),
      product: textOrNull(of(/(?:product|card|board|dev)_?(?:name|type)$|name$/)),
      memoryTotalBytes: bytesOrNull(of(/physical(?: memory)?$|mem\w*_total$/), 2 ** 20),
      memoryUsedBytes: bytesOrNull(of(/used(?: memory)?$|mem\w*_used$/), 2 ** 20),
      temperatureCelsius: numberOrNull(of(/temp\w*$/)),
      powerWatts: numberOrNull(of(/power draw$|p_cur$|power$/)),
      utilizationRatio: ratioOf(numberOrNull(of(/util\w*$|gpu util\w*$|ai_?util\w*$/))),
      extra: { powerLimitWatts: numberOrNull(of(/p_cap$|power (?:cap|limit)$/)) },
    })
  })
}
