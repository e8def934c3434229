import { createDrivers } from '@medley/drivers'
import { type ChipFacts, chipUuid } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machine } from '../fixtures/machine.ts'
import { ownSlots } from './slots.ts'

/** What the drivers make up where a tool names no uuid. */
const PLACES = [
  'pci-0000:3b:00.0',
  'pci-0000:3b:00.0-1',
  'index-3',
  'index-unknown',
  'unattributed-0',
  'npu-3-1',
  'line-2',
  'card-1-chip-0',
]

async function processor(): Promise<ChipFacts> {
  const cpu = createDrivers().find(({ name }) => name === 'cpu')
  const [chip] = (await cpu?.read(machine({}), [])) ?? []
  if (!chip) throw new Error('no processor')
  return chip
}

describe('uuids that are only a place', () => {
  it.each(PLACES)('are of one node: %s', async (place) => {
    const chip = { ...(await processor()), vendor: 'acme', uuid: `acme-${place}` }
    const on = (nodeKey: string): string => ownSlots([chip], nodeKey)[0]?.uuid ?? ''
    expect(on('n1')).not.toBe(on('n2'))
    expect(on('n1')).toBe(on('n1'))
  })

  it('stay different on one node, and within what a uuid may have', async () => {
    const chip = { ...(await processor()), vendor: 'acme' }
    const rest = fc
      .string({ unit: 'binary', maxLength: 240 })
      .filter((text) => chipUuid.safeParse(`acme-${text}`).data === `acme-${text}`)
    fc.assert(
      fc.property(fc.uniqueArray(rest, { minLength: 1, maxLength: 8 }), fc.string(), (places, nodeKey) => {
        const uuids = ownSlots(
          places.map((place) => ({ ...chip, uuid: `acme-${place}` })),
          nodeKey,
        ).map(({ uuid }) => uuid)
        expect(new Set(uuids).size).toBe(places.length)
        for (const uuid of uuids) expect(chipUuid.parse(uuid)).toBe(uuid)
      }),
    )
  })

  it('are not those of a vendor, nor those a driver made of the machine', async () => {
    const chip = await processor()
    const named = { ...chip, vendor: 'acme', uuid: 'GPU-6f3b2a51-0000-4a6e-9d53-7f3c1e0b9a55' }
    expect(ownSlots([chip, named], 'n1')).toEqual([chip, named])
  })
})
