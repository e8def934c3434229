export interface SlotState {
  /** Tokens whose attention state the slot still holds. */
  readonly tokens: readonly number[]
  /** Counts up with every use; the smallest was used longest ago. */
  readonly lastUse: number
}

/** Number of tokens that two sequences have in common from their start. */
export function commonPrefix(left: readonly number[], right: readonly number[]): number {
  const limit = Math.min(left.length, right.length)
  let length = 0
  while (length < limit && left[length] === right[length]) length += 1
  return length
}

/**
 * Index of the free slot to use for a prompt: the one that can reuse most of it, where that is worth more than what
 * the slot would forget. Every prompt shares the few tokens a template starts with, and without this a new
 * conversation would take the place of an old one while other slots are empty. Otherwise an empty slot, or else the
 * one used longest ago. Null when there is no free slot.
 */
export function chooseSlot(free: readonly SlotState[], prompt: readonly number[]): number | null {
  let best: { index: number; worth: number; slot: SlotState } | null = null
  for (const [index, slot] of free.entries()) {
    const worth = worthOf(slot, prompt)
    if (best === null || isBetter(slot, worth, best)) best = { index, worth, slot }
  }
  return best?.index ?? null
}

/** Tokens that need no computing now, less half of those that may have to be computed again later. */
function worthOf(slot: SlotState, prompt: readonly number[]): number {
  const shared = commonPrefix(slot.tokens, prompt)
  return Math.max(0, shared - (slot.tokens.length - shared) / 2)
}

function isBetter(slot: SlotState, worth: number, best: { worth: number; slot: SlotState }): boolean {
  if (worth !== best.worth) return worth > best.worth
  const empty = slot.tokens.length === 0
  if (empty !== (best.slot.tokens.length === 0)) return empty
  return slot.lastUse < best.slot.lastUse
}
