import type { ChipDriver, DriverHost } from '@medley/fleet'
import { describe, expect, it } from 'vitest'
import { readChips } from './chips.ts'
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
    pciVendorIds: ['10de'],
    kubernetesResources: [],
    torchDevice: null,
    collectiveLibrary: null,
    sheets: [],
    read,
    bind: () => ({ env: {}, devices: [], mounts: [] }),
  })

  it('gives a driver the functions of its vendor only, and loses no chips to another that breaks', async () => {
    const broken: string[] = []
    const seen: string[] = []
    const drivers = [
      driver('good', async (_, pci) => {
        seen.push(...pci.map((func) => func.address))
        return []
      }),
      driver('throws', async () => {
        throw new Error('a fault')
      }),
    ]
    expect(await readChips(BUS, drivers, (name) => broken.push(name))).toEqual([])
    expect(seen).toEqual(['0000:3b:00.0'])
    expect(broken).toEqual(['throws'])
  })
})
