import type { ChipFacts } from '@medley/fleet/protocol'

/** The tool's own words: OK, Warning (minor alarms), Alarm (major), Critical; any other word is not understood. */
export function healthOf(reported: string): Pick<ChipFacts, 'health' | 'healthReasons'> {
  const word = reported.trim()
  const health = HEALTH[word.toLowerCase()] ?? 'unknown'
  return {
    health,
    healthReasons:
      health === 'healthy' ? [] : [{ code: 'health-reported', params: { tool: 'npu-smi', value: word.slice(0, 40) } }],
  }
}

const HEALTH: Readonly<Record<string, ChipFacts['health']>> = {
  ok: 'healthy',
  warning: 'degraded',
  alarm: 'degraded',
  critical: 'unusable',
}

/**
 * What only all chips of a card together tell. Power is measured once per card and printed at one of its chips; where
 * several print one, nothing says whether that is the chip's or the card's, so the card's stays unknown.
 */
export function cardsOf(chips: readonly ChipFacts[]): readonly ChipFacts[] {
  const cards = Map.groupBy(chips, (chip) => chip.cardKey)
  return chips.map((chip) => {
    const powers = (cards.get(chip.cardKey) ?? []).flatMap((sibling) => sibling.powerWatts ?? [])
    return { ...chip, cardPowerWatts: chip.cardPowerWatts ?? (powers.length === 1 ? (powers[0] ?? null) : null) }
  })
}
