import { createHash } from 'node:crypto'
import type { ChipFacts } from '@medley/fleet/protocol'

/** Leaves room for the mark within what a uuid may have. */
const LONGEST_PLACE = 200

/**
 * The same chips; uuids that are only a place get this node's mark, for slot 3b:00.0 is on every node, and what is
 * kept by uuid must never mix nodes. The mark is stable over restarts, as the node's key is.
 */
export function ownSlots(chips: readonly ChipFacts[], nodeKey: string): readonly ChipFacts[] {
  const owned = new Map(chips.filter(isOnlyAPlace).map(({ uuid }) => [uuid, markedUuid(uuid, nodeKey)]))
  if (owned.size === 0) return chips
  const ownOf = (uuid: string): string => owned.get(uuid) ?? uuid
  return chips.map((chip) => ({
    ...chip,
    uuid: ownOf(chip.uuid),
    cardKey: ownOf(chip.cardKey),
    ...(chip.links ? { links: chip.links.map((link) => ({ ...link, to: ownOf(link.to) })) } : {}),
  }))
}

function markedUuid(uuid: string, nodeKey: string): string {
  const mark = createHash('sha256').update(`medley-slot\n${nodeKey}\n${uuid}`).digest('hex').slice(0, 12)
  return `${uuid.slice(0, LONGEST_PLACE).toWellFormed()}-node-${mark}`
}

/**
 * Whether a driver made the uuid up: it begins with the driver's name, and a vendor's own never does. A driver that
 * made it of a digest (as for a processor, of the machine's id) saw to it already that no other machine has it.
 */
function isOnlyAPlace({ uuid, vendor }: ChipFacts): boolean {
  return uuid.startsWith(`${vendor}-`) && !/^[0-9a-f]{32,}$/.test(uuid.slice(vendor.length + 1))
}
