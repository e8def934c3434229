import { createDrivers } from '@medley/drivers'
import type { ChipDriver } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { machine } from '../fixtures/machine.ts'
import { createChangeLog } from './changes.ts'
import { startChipReader } from './chips.ts'
import { readPci } from './pci.ts'
import { ownSlots } from './slots.ts'

function pciFiles(
  address: string,
  vendor: string,
  device: string,
  classCode: string,
  node = '-1',
): Record<string, string> {
  const root = `/sys/bus/pci/devices/${address}`
  return {
    [`${root}/vendor`]: `${vendor}\n`,
    [`${root}/device`]: `${device}\n`,
    [`${root}/class`]: `${classCode}\n`,
    [`${root}/numa_node`]: `${node}\n`,
  }
}

const BUS = machine({
  ...pciFiles('0000:00:1f.0', '0x8086', '0x1234', '0x060100'),
  ...pciFiles('0000:03:00.0', '0x1a03', '0x2000', '0x030000'),
  ...pciFiles('0000:3b:00.0', '0x10de', '0x2335', '0x030200', '1'),
  ...pciFiles('0000:3b:00.1', '0x10de', '0x22ba', '0x040300', '1'),
  ...pciFiles('0000:81:00.0', '0x19e5', '0xd802', '0x120000'),
  '/sys/bus/pci/devices/nonsense/vendor': '0xzz',
})

describe('the PCI bus', () => {
  it('keeps accelerators only: no bridges, sound functions or board consoles', async () => {
    expect(await readPci(BUS)).toEqual([
      { address: '0000:3b:00.0', vendorId: '10de', deviceId: '2335', classCode: '030200', numaNode: 1 },
      { address: '0000:81:00.0', vendorId: '19e5', deviceId: 'd802', classCode: '120000', numaNode: null },
    ])
  })

  it('counts no virtual function beside its physical one, and one in a virtual machine', async () => {
    const physical = pciFiles('0000:81:00.0', '0x19e5', '0xd802', '0x120000')
    const virtual = pciFiles('0000:82:00.0', '0x19e5', '0xd802', '0x120000')
    const linked = { '/sys/bus/pci/devices/0000:82:00.0/physfn/uevent': 'DRIVER=x\nPCI_SLOT_NAME=0000:81:00.0\n' }
    const seen = async (files: Record<string, string>) => (await readPci(machine(files))).map(({ address }) => address)
    expect(await seen({ ...physical, ...virtual, ...linked })).toEqual(['0000:81:00.0'])
    // Passed through: the link is gone, or leads to nothing that can be seen here.
    expect(await seen(virtual)).toEqual(['0000:82:00.0'])
    expect(await seen({ ...virtual, ...linked })).toEqual(['0000:82:00.0'])
  })
})

describe('reading all chips', () => {
  const driver = (name: string, read: ChipDriver['read']): ChipDriver => ({
    name,
    layoutVerified: false,
    domestic: null,
    pciVendorIds: ['10de'],
    kubernetesResources: [],
    torchDevice: null,
    collectiveLibrary: null,
    sheets: [],
    read,
    bind: () => ({ env: {}, devices: [], mounts: [] }),
    recognise: () => null,
    parseOutput: (text, command) => ({ command: command ?? null, chips: [], facts: {}, raw: text }),
  })

  const read = async (drivers: readonly ChipDriver[], onBroken: (name: string) => void = () => undefined) => {
    const reader = startChipReader({
      host: BUS,
      drivers,
      intervalMs: 20,
      nodeKey: 'n1',
      onBroken,
      onChange: () => undefined,
    })
    await reader.first
    return reader
  }
  const chipOf = async (): Promise<ChipFacts> => {
    const [chip] = (await createDrivers()[0]?.read(BUS, [])) ?? []
    if (!chip) throw new Error('no chip')
    return chip
  }

  it('gives a driver the functions of its vendor only', async () => {
    const seen: string[] = []
    const reader = await read([
      driver('good', async (_, pci) => {
        seen.push(...pci.map((func) => func.address))
        return []
      }),
    ])
    reader.stop()
    expect(seen.slice(0, 1)).toEqual(['0000:3b:00.0'])
  })

  it('loses no chips to a driver that breaks or hangs', async () => {
    const chip = await chipOf()
    const broken: string[] = []
    const drivers = [
      driver('good', async () => [chip]),
      driver('throws', async () => {
        throw new Error('a fault')
      }),
      driver('nonsense', async () => [{ ...chip, memoryTotalBytes: -1 }]),
      driver('hangs', () => new Promise(() => undefined)),
    ]
    const reader = await read(drivers, (name) => broken.push(name))
    reader.stop()
    expect(reader.chips()).toEqual([chip])
    expect(new Set(broken)).toEqual(new Set(['throws', 'nonsense']))
    expect(reader.unread()).toEqual(['throws', 'nonsense', 'hangs'])
  })

  it('says that a driver has not read yet, and calls when it has, also when that finds nothing', async () => {
    const chip = await chipOf()
    let end: (chips: readonly ChipFacts[]) => void = () => undefined
    const slow = driver('slow', () => new Promise((resolve) => (end = resolve)))
    const calls: boolean[] = []
    const reader = startChipReader({
      host: BUS,
      drivers: [driver('good', async () => [chip]), slow],
      nodeKey: 'n1',
      intervalMs: 60_000,
      onBroken: () => undefined,
      onChange: (_before, _after, first) => calls.push(first),
    })
    await reader.first
    expect([reader.unread(), reader.chips(), calls]).toEqual([['slow'], [chip], [true]])
    end([])
    for (let round = 0; round < 400 && reader.unread().length > 0; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    reader.stop()
    expect([reader.unread(), calls]).toEqual([[], [true, true]])
  })

  it('gives chips that are known by their slot another uuid on each node, the same after a restart', async () => {
    const chip = await chipOf()
    const slot = { ...chip, uuid: `${chip.vendor}-pci-0000:3b:00.0`, cardKey: '0000:3b:00.0' }
    const other = { ...chip, uuid: `${chip.vendor}-index-1`, cardKey: `${chip.vendor}-index-1` }
    const linked = { ...slot, links: [{ to: other.uuid, kind: 'link' as const, label: 'L', bytesPerSecond: null }] }
    const on = (nodeKey: string) => ownSlots([linked, other, chip], nodeKey)
    const [first, second, named] = on('n1')
    expect(on('n1')).toEqual(on('n1'))
    expect(on('n2').map(({ uuid }) => uuid)).not.toContain(first?.uuid)
    // The fleet knows by the start that it is no uuid of the vendor's.
    expect(first?.uuid.startsWith(`${slot.uuid}-`)).toBe(true)
    expect(first?.links?.[0]?.to).toBe(second?.uuid)
    expect([first?.cardKey, second?.cardKey]).toEqual(['0000:3b:00.0', second?.uuid])
    expect(named).toEqual(chip)
    const reader = await read([driver('good', async () => [slot])])
    reader.stop()
    expect(reader.chips()[0]?.uuid).toBe(first?.uuid)
  })

  it('keeps a chip as unknown while its driver fails', async () => {
    const chip = await chipOf()
    let works = true
    const reader = await read([
      driver('sometimes', async () => {
        if (!works) throw new Error('a fault')
        return [chip]
      }),
    ])
    works = false
    for (let round = 0; round < 400 && reader.chips()[0]?.health !== 'unknown'; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    reader.stop()
    expect(reader.chips()).toMatchObject([{ uuid: chip.uuid, health: 'unknown', memoryUsedBytes: null }])
  })
})

describe('what happened to chips while nobody listened', () => {
  it('is kept in order with its time, bounded, and forgotten once told', async () => {
    const [chip] = (await createDrivers()[0]?.read(BUS, [])) ?? []
    if (!chip) throw new Error('no chip')
    const log = createChangeLog()
    log.note([chip], [{ ...chip, utilizationRatio: 0.5 }], 1)
    expect(log.all()).toEqual([])
    const lost = { ...chip, health: 'lost' as const, healthReasons: [{ code: 'x', params: {} }] }
    log.note([chip], [lost], 2)
    log.note([lost], [], 3)
    log.note([], [chip], 4)
    expect(log.lostBeforeMs).toBeNull()
    const told = log.all()
    expect(told).toEqual([
      { uuid: chip.uuid, atMs: 2, health: 'lost', healthReasons: lost.healthReasons },
      { uuid: chip.uuid, atMs: 3, health: 'absent', healthReasons: [] },
      { uuid: chip.uuid, atMs: 4, health: chip.health, healthReasons: chip.healthReasons },
    ])
    for (let atMs = 5; atMs < 2_005; atMs += 1) log.note(atMs % 2 ? [chip] : [], atMs % 2 ? [] : [chip], atMs)
    log.forget(told)
    expect(log.all()).toHaveLength(1_000)
    expect(log.all().at(-1)?.atMs).toBe(2_004)
    expect(log.lostBeforeMs).toBe(1_004)
    // More were dropped while the first was told.
    log.note([], [chip], 2_005)
    log.forget([], 1_004)
    expect(log.lostBeforeMs).toBe(1_005)
    log.forget(log.all(), 1_005)
    expect([log.all(), log.lostBeforeMs]).toEqual([[], null])
  })
})
