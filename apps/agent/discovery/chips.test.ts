import { createDrivers } from '@medley/drivers'
import type { ChipDriver, DriverHost } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { startChipReader } from './chips.ts'
import { readPci } from './pci.ts'

/** A machine whose files are given. */
function machine(files: Readonly<Record<string, string>>): DriverHost {
  return {
    platform: 'linux',
    architecture: 'x64',
    run: async () => ({ kind: 'missing' }),
    readFile: async (path) => files[path] ?? null,
    readDirectory: async (path) => [
      ...new Set(
        Object.keys(files)
          .filter((file) => file.startsWith(`${path}/`))
          .map((file) => file.slice(path.length + 1).split('/')[0] ?? ''),
      ),
    ],
  }
}

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
