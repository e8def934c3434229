import type { ChipFacts } from '@medley/fleet/protocol'
import { chipOf, ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { cardsOf, healthOf } from './health.ts'
import { MEBIBYTE } from './table.ts'

/** `npu-smi info -m`: which NPU and chip has which logical number. Columns by header; microcontrollers are no chips. */
export function parseMapping(text: string): readonly ChipFacts[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s{2,}|\t+/))
  const at = lines.findIndex((cells) => cells.includes('NPU ID') && cells.includes('Chip ID'))
  const names = lines[at]?.map((name) => name.toLowerCase()) ?? []
  return lines.slice(at + 1).flatMap((cells) => {
    const row = new Map(names.map((name, column) => [name, cells[column]]))
    const npuId = countOrNull(row.get('npu id'))
    const logicId = countOrNull(row.get('chip logic id'))
    const physicalId = countOrNull(row.get('chip phy-id')) ?? countOrNull(row.get('chip phy id'))
    const product = textOrNull(row.get('chip name'))
    const index = physicalId ?? logicId
    if (at < 0 || npuId === null || index === null || product === null || /^mcu$/i.test(product)) return []
    const chipOnCard = countOrNull(row.get('chip id')) ?? 0
    const extra = { npuId, physicalId, logicId }
    return [chipOf({ vendor: 'ascend', index, product, cardKey: `npu-${npuId}`, chipOnCard, extra })]
  })
}

type Block = Map<string, string>

/** One map per chip of the `key : value` outputs (`npu-smi info -t ...`, `-l`), keys without their unit. */
function blocksOf(text: string): { readonly npu: Block; readonly chips: readonly Block[]; readonly card: Block }[] {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const match = /^\s*([A-Za-z][^:]{0,60}?)\s*(?:\([^)]{0,20}\))?\s*:\s*(.*)$/.exec(line)
    return match?.[1] ? [[match[1].toLowerCase(), match[2]?.trim() ?? '']] : []
  })
  const npus: [string, string][][] = []
  for (const pair of pairs) {
    if (pair[0] === 'npu id' || npus.length === 0) npus.push([])
    npus.at(-1)?.push(pair)
  }
  return npus.map(splitChips)
}

const HEAD = new Set(['npu id', 'chip count', 'card count', 'product name', 'serial number'])

/** `-t common` names the chip before its values, `-t usages` after them: told by which of the two comes first. */
function splitChips(pairs: readonly [string, string][]) {
  const body = pairs.filter(([key]) => !HEAD.has(key))
  const closing = body.length > 1 && body[0]?.[0] !== 'chip id' && body[0]?.[0] !== 'chip name'
  const [npu, card]: [Block, Block] = [new Map(pairs.filter(([key]) => HEAD.has(key))), new Map()]
  const chips: Block[] = []
  let current: Block = new Map()
  let inCard = false
  for (const [key, value] of body) {
    const opens = !closing && key === 'chip id'
    if (opens) {
      current = new Map()
      chips.push(current)
    }
    // The microcontroller closes the list: what it says concerns the card.
    if (key === 'chip name' && /^mcu$/i.test(value)) inCard = true
    else if (opens) inCard = false
    const target = inCard ? card : current
    if (!target.has(key)) target.set(key, value)
    if (closing && key === 'chip id') {
      chips.push(current)
      current = new Map()
    }
  }
  if (chips.length === 0 && current.size > 0) chips.push(current)
  return { npu, chips, card }
}

/** Chips of any `npu-smi info -t KIND -i NPU [-c CHIP]`, with what that kind says of them. */
export function parseDetails(text: string): readonly ChipFacts[] {
  const chips = blocksOf(text).flatMap(({ npu, chips: blocks, card }) => {
    const npuId = countOrNull(npu.get('npu id'))
    if (npuId === null) return []
    return (blocks.length > 0 ? blocks : [new Map<string, string>()]).map((block) =>
      chipOfBlock(npuId, npu, block, card),
    )
  })
  return cardsOf(chips)
}

function chipOfBlock(npuId: number, npu: Block, block: Block, card: Block): ChipFacts {
  const chipOnCard = countOrNull(block.get('chip id')) ?? 0
  const single = countOrNull(npu.get('chip count')) === 1 || chipOnCard === 0
  const mcuPower = numberOrNull(card.get('npu real-time power'))
  const power = numberOrNull(block.get('npu real-time power') ?? block.get('power dissipation'))
  const die = textOrNull(block.get('vdie id')) ?? textOrNull(block.get('die id'))
  const reported = textOrNull(block.get('health') ?? block.get('health status') ?? card.get('health'))
  const doubled = countOrNull(block.get('hbm double bit error count') ?? block.get('ddr double bit error count'))
  return chipOf({
    vendor: 'ascend',
    index: countOrNull(npu.get('chip count')) === 1 || (single && !block.has('chip id')) ? npuId : null,
    product: textOrNull(block.get('chip name')) ?? textOrNull(npu.get('product name')) ?? '',
    ...(die === null ? { uuid: `ascend-npu-${npuId}-${chipOnCard}` } : { uuid: die }),
    serial: textOrNull(npu.get('serial number')),
    pciAddress: normalizePciAddress(block.get('pcie bus info')),
    cardKey: `npu-${npuId}`,
    chipOnCard,
    memoryTotalBytes: bytesOrNull(block.get('hbm capacity') ?? block.get('ddr capacity'), MEBIBYTE),
    utilizationRatio: ratioOf(numberOrNull(block.get('aicore usage rate'))),
    temperatureCelsius: numberOrNull(block.get('temperature')),
    powerWatts: power,
    // Of a card with several chips only the microcontroller measures, and it measures the card.
    cardPowerWatts: power === null ? mcuPower : null,
    ...(reported === null ? {} : healthOf(reported)),
    firmwareVersion: textOrNull(block.get('firmware version')),
    eccErrorsUncorrected: doubled,
    computeUnits: countOrNull(block.get('aicore count')),
    extra: {
      npuId,
      memoryUsageRatio: ratioOf(
        numberOrNull(block.get('hbm usage rate') ?? block.get('ddr usage rate') ?? block.get('memory usage rate')),
      ),
      aicoreFrequencyMegahertz: numberOrNull(block.get('aicore curfreq')),
      mcuPowerWatts: mcuPower,
      mcuTemperatureCelsius: numberOrNull(card.get('temperature')),
    },
  })
}
