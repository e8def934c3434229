import { createDrivers } from '@medley/drivers'
import type { ChipDriver } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { machine } from '../fixtures/machine.ts'
import { createChangeLog } from './changes.ts'
import { startChipReader } from './chips.ts'
import { readPci } from './pci.ts'

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
    const reader = startChipReader({ host: BUS, drivers, intervalMs: 20, onBroken, onChange: () => undefined })
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
  })
})
