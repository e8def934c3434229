import { existsSync, readdirSync } from 'node:fs'
import { nodeHardware } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { machine } from '../fixtures/machine.ts'
import { readHardware, startHardwareReader } from './hardware.ts'
import { createDriverHost } from './host.ts'

const net = (name: string, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([file, text]) => [`/sys/class/net/${name}/${file}`, `${text}\n`]))

const SERVER = {
  ...net('lo', { address: '00:00:00:00:00:00', operstate: 'unknown' }),
  ...net('eno1', {
    address: '3c:fd:fe:00:00:01',
    operstate: 'up',
    speed: '25000',
    'device/numa_node': '0',
    'device/uevent': 'DRIVER=ice\nPCI_CLASS=20000',
  }),
  ...net('ib0', { address: '00:00:10:49', operstate: 'down', 'device/numa_node': '1', 'device/uevent': 'X=1' }),
  ...net('bond0', { address: '3c:fd:fe:00:00:01', operstate: 'up', speed: '50000', 'bonding/mode': 'x' }),
  ...net('veth0', { address: 'aa:bb:cc:dd:ee:ff', operstate: 'up', speed: '10000' }),
  '/sys/class/net/bonding_masters': 'bond0\n',
  '/sys/class/infiniband/mlx5_10/ports/1/link_layer': 'Ethernet\n',
  '/sys/class/infiniband/mlx5_10/ports/1/state': '1: DOWN\n',
  '/sys/class/infiniband/mlx5_10/ports/1/rate': '40 Gb/sec (4X QDR)\n',
  '/sys/class/infiniband/mlx5_10/device/net/eno1/mtu': '9000\n',
  '/sys/class/infiniband/mlx5_2/ports/1/link_layer': 'InfiniBand\n',
  '/sys/class/infiniband/mlx5_2/ports/1/state': '4: ACTIVE\n',
  '/sys/class/infiniband/mlx5_2/ports/1/rate': '400 Gb/sec (4X NDR)\n',
  '/sys/class/infiniband/mlx5_2/ports/1/gid_attrs/ndevs/0': 'ib0\n',
  '/sys/block/nvme0n1/size': '7501476528\n',
  '/sys/block/nvme0n1/device/model': 'SAMSUNG MZQL23T8HCLS-00A07   \n',
  '/sys/block/nvme0n1/queue/rotational': '0\n',
  '/sys/block/nvme0c0n1/size': '7501476528\n',
  '/sys/block/nvme0c0n1/hidden': '1\n',
  '/sys/block/sda/size': '39063650304\n',
  '/sys/block/sda/queue/rotational': '1\n',
  '/sys/block/sdb/size': '0\n',
  '/sys/block/loop0/size': '8\n',
  '/sys/block/dm-0/size': '39063650304\n',
  '/sys/devices/system/node/possible': '0-1\n',
  '/sys/devices/system/node/node1/cpulist': '64-127\n',
  '/sys/devices/system/node/node1/meminfo': 'Node 1 MemTotal:       528280324 kB\nNode 1 MemFree: 1 kB\n',
  '/sys/devices/system/node/node0/cpulist': '0-63\n',
}

describe('the hardware of a node', () => {
  it('is read from sysfs: adapters, RDMA ports, disks, NUMA', async () => {
    expect(await readHardware(machine(SERVER))).toEqual({
      networkInterfaces: [
        {
          name: 'bond0',
          macAddress: '3c:fd:fe:00:00:01',
          speedBitsPerSecond: 50e9,
          state: 'up',
          numaNode: null,
          driver: null,
        },
        {
          name: 'eno1',
          macAddress: '3c:fd:fe:00:00:01',
          speedBitsPerSecond: 25e9,
          state: 'up',
          numaNode: 0,
          driver: 'ice',
        },
        {
          name: 'ib0',
          macAddress: '00:00:10:49',
          speedBitsPerSecond: null,
          state: 'down',
          numaNode: 1,
          driver: null,
        },
      ],
      rdmaDevices: [
        {
          name: 'mlx5_2',
          port: 1,
          linkLayer: 'infiniband',
          state: 'active',
          rateBitsPerSecond: 400e9,
          networkInterface: 'ib0',
        },
        {
          name: 'mlx5_10',
          port: 1,
          linkLayer: 'ethernet',
          state: 'down',
          rateBitsPerSecond: 40e9,
          networkInterface: 'eno1',
        },
      ],
      disks: [
        {
          name: 'nvme0n1',
          model: 'SAMSUNG MZQL23T8HCLS-00A07',
          sizeBytes: 3_840_755_982_336,
          rotational: false,
        },
        { name: 'sda', model: null, sizeBytes: 20_000_588_955_648, rotational: true },
      ],
      numaNodes: [
        { id: 0, cpuList: '0-63', memoryBytes: null },
        { id: 1, cpuList: '64-127', memoryBytes: 540_959_051_776 },
      ],
    })
  })

  it('takes what a container was given where it sees no adapter of its own', async () => {
    const found = await readHardware(
      machine({
        ...net('lo', { operstate: 'unknown' }),
        ...net('eth0', { address: '02:42:ac:11:00:02', operstate: 'unknown', speed: '-1', 'device/numa_node': '-1' }),
      }),
    )
    expect(found?.networkInterfaces).toEqual([
      {
        name: 'eth0',
        macAddress: '02:42:ac:11:00:02',
        speedBitsPerSecond: null,
        state: 'unknown',
        numaNode: null,
        driver: null,
      },
    ])
  })

  it('is looked at again only after the last look has ended', async () => {
    const hung = new Set<() => void>()
    let hangs = false
    let most = 0
    const files = {
      ...machine(SERVER),
      readDirectory: async (directory: string) => {
        if (hangs && directory === '/sys/block') {
          await new Promise<void>((resolve) => {
            hung.add(resolve)
            most = Math.max(most, hung.size)
          })
        }
        return machine(SERVER).readDirectory(directory)
      },
    }
    const reader = await startHardwareReader(files, 5, () => undefined)
    hangs = true
    for (let round = 0; round < 400 && hung.size === 0; round += 1) await new Promise((end) => setTimeout(end, 5))
    await new Promise((end) => setTimeout(end, 100))
    hangs = false
    for (const release of hung) release()
    reader.stop()
    expect(most).toBe(1)
  })

  it('is unknown on another operating system', async () => {
    expect(await readHardware({ ...machine(SERVER), platform: 'darwin' })).toBeNull()
  })

  it.skipIf(process.platform !== 'linux')('is what this machine has', async () => {
    const found = nodeHardware.parse(await readHardware(createDriverHost()))
    expect(found.networkInterfaces.filter(({ name }) => !existsSync(`/sys/class/net/${name}`))).toEqual([])
    expect(found.disks.filter(({ name }) => !existsSync(`/sys/block/${name}`))).toEqual([])
    const nodes = existsSync('/sys/devices/system/node')
      ? readdirSync('/sys/devices/system/node').filter((name) => /^node\d+$/.test(name))
      : []
    expect(found.numaNodes).toHaveLength(nodes.length)
  })
})
