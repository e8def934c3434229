import { madeUuid } from './outputs.ts'
import type { Reading } from './reading.ts'

/**
 * Two chips of one card, where the tool lists chips only: neighbours of a product that has two chips a card. A card
 * of which one half is out of sight (given to another container, lost) leaves an odd number; then only a chip
 * without power before one with power is believed to be the first of a pair.
 */
export function pairUp(vendor: string, readings: readonly Reading[], isDual: (product: string) => boolean): Reading[] {
  const dual = readings.filter((reading) => isDual(reading.product ?? ''))
  const complete = dual.length % 2 === 0
  const paired = new Map<Reading, Reading>()
  for (let at = 0; at + 1 < dual.length; at += 1) {
    const [first, second] = [dual[at], dual[at + 1]]
    if (!first || !second || !areNeighbours(first, second)) continue
    const split = first.powerWatts === null && second.powerWatts !== null
    if (!complete && !split) continue
    const card = `pair-${first.pciAddress ?? first.index}`
    // The same figure on both is the card's, printed twice; one figure is the card's, printed once.
    const same = first.powerWatts === second.powerWatts ? first.powerWatts : null
    const cardPowerWatts = split ? second.powerWatts : same
    paired.set(first, { ...first, card, chipOnCard: 0, cardPowerWatts })
    // With an address of its own its uuid must not depend on whether its neighbour is in sight.
    const uuid = second.uuid ?? madeUuid(vendor, second.pciAddress, second.index, 0)
    paired.set(second, { ...second, card, chipOnCard: 1, cardPowerWatts, uuid })
    at += 1
  }
  return readings.map((reading) => paired.get(reading) ?? reading)
}

function areNeighbours(first: Reading, second: Reading): boolean {
  const following = first.index === null || second.index === null || second.index === first.index + 1
  return following && first.product === second.product
}
