import { createHash } from 'node:crypto'
import type { ChipFacts } from '@medley/fleet/protocol'

/** How a driver begins the uuid of a chip that has none of its vendor's: by the chip's place in this machine. */
const PLACES = ['pci', 'index', 'unattributed']

/**
 * The same chips; uuids that are only a place get this node's mark, for slot 3b:00.0 is on every node, and what is
 * kept by uuid must never mix nodes. The mark is stable over restarts, as the node's key is.
 */
export function ownSlots(chips: readonly ChipFacts[], nodeKey: string): readonly ChipFacts[] {
  const mark = createHash('sha256').update(`medley-slot\n${nodeKey}`).digest('hex').slice(0, 12)
  const owned = new Map(chips.filter(isOnlyAPlace).map(({ uuid }) => [uuid, `${uuid}-node-${mark}`]))
  if (owned.size === 0) return chips
  const ownOf = (uuid: string): string => owned.get(uuid) ?? uuid
  return chips.map((chip) => ({
    ...chip,
    uuid: ownOf(chip.uuid),
    cardKey: ownOf(chip.cardKey),
    ...(chip.links ? { links: chip.links.map((link) => ({ ...link, to: ownOf(link.to) })) } : {}),
  }))
}

function isOnlyAPlace({ uuid, vendor }: ChipFacts): boolean {
  return PLACES.some((place) => uuid.startsWith(`${vendor}-${place}-`))
}
