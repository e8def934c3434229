import type { CardView, ChipView } from './views.ts'

/** Chips by what they are plugged in with, in the order of their ids. */
export function cardsOf(chips: readonly ChipView[]): readonly CardView[] {
  const cards = new Map<string, ChipView[]>()
  for (const chip of chips) {
    const card = cards.get(chip.facts.cardKey)
    if (card) card.push(chip)
    else cards.set(chip.facts.cardKey, [chip])
  }
  return [...cards].flatMap(([cardKey, members]) => {
    const sorted = members.toSorted((one, other) => one.facts.chipOnCard - other.facts.chipOnCard)
    const [first] = sorted
    if (!first) return []
    const { nodeId, facts } = first
    const serial = sorted.find((chip) => chip.facts.serial !== null)?.facts.serial ?? null
    return [
      {
        cardKey,
        nodeId,
        product: facts.product,
        vendor: facts.vendor,
        serial,
        powerWatts: powerOf(sorted),
        chips: sorted,
      },
    ]
  })
}

/** The card's own figure where the tool prints one, else the sum of its chips where all of them are known. */
function powerOf(chips: readonly ChipView[]): number | null {
  const whole = chips.flatMap(({ facts }) => facts.cardPowerWatts ?? [])
  if (whole.length > 0) return Math.max(...whole)
  const parts = chips.flatMap(({ facts }) => facts.powerWatts ?? [])
  return parts.length === chips.length ? parts.reduce((sum, watts) => sum + watts, 0) : null
}
