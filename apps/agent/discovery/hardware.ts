import type { DriverHost } from '@medley/fleet'
import type { NodeHardware } from '@medley/fleet/protocol'

type Files = Pick<DriverHost, 'platform' | 'readFile' | 'readDirectory'>
type NetworkInterface = NodeHardware['networkInterfaces'][number]
type RdmaDevice = NodeHardware['rdmaDevices'][number]
type Disk = NodeHardware['disks'][number]
type NumaNode = NodeHardware['numaNodes'][number]

const NET = '/sys/class/net'
const RDMA = '/sys/class/infiniband'
const BLOCK = '/sys/block'
const NUMA = '/sys/devices/system/node'

/** Made of other devices or of memory: counted once, where they are real. */
const NOT_A_DISK = /^(?:loop|ram|zram|dm-|md|sr|fd|nbd|drbd)/
/** `size` counts these whatever the disk's own sectors are (Documentation/ABI/stable/sysfs-block). */
const SECTOR_BYTES = 512

export interface HardwareReader {
  read(): NodeHardware | null
  stop(): void
}

/** Looks again and again; `onChange` when something was plugged in, pulled out, or came up. */
export async function startHardwareReader(
  files: Files,
  intervalMs: number,
  onChange: () => void,
): Promise<HardwareReader> {
  let last = await readHardware(files)
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const look = async (): Promise<void> => {
    const next = await readHardware(files)
    const changed = JSON.stringify(next) !== JSON.stringify(last)
    last = next
    if (changed && !stopped) onChange()
  }
  // Armed when the last look is over: a disk that hangs must not gather one look a minute.
  const arm = (): void => {
    if (!stopped)
      timer = setTimeout(
        () =>
          void look()
            .catch(() => undefined)
            .finally(arm),
        intervalMs,
      )
  }
  arm()
  return {
    read: () => last,
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** What the node is made of beside its chips, from sysfs: no tool and no rights needed. Null: cannot be told here. */
export async function readHardware(files: Files): Promise<NodeHardware | null> {
  if (files.platform !== 'linux') return null
  const [networkInterfaces, rdmaDevices, disks, numaNodes] = await Promise.all([
    readNetwork(files),
    readRdma(files),
    readDisks(files),
    readNuma(files),
  ])
  return { networkInterfaces, rdmaDevices, disks, numaNodes }
}

/** Real adapters and their bonds; in a container, which sees neither, whatever it was given. */
async function readNetwork(files: Files): Promise<NetworkInterface[]> {
  const names = (await sorted(files, NET)).filter((name) => name !== 'lo' && name !== 'bonding_masters')
  const found = await Promise.all(
    names.map(async (name) => {
      const entries = await files.readDirectory(`${NET}/${name}`)
      return {
        real: entries.includes('device') || entries.includes('bonding'),
        facts: await readInterface(files, name),
      }
    }),
  )
  const real = found.filter((item) => item.real)
  return (real.length > 0 ? real : found).map((item) => item.facts)
}

async function readInterface(files: Files, name: string): Promise<NetworkInterface> {
  const [address, speed, state, numaNode, uevent] = await Promise.all(
    ['address', 'speed', 'operstate', 'device/numa_node', 'device/uevent'].map((file) =>
      read(files, `${NET}/${name}/${file}`),
    ),
  )
  const megabits = countOf(speed)
  return {
    name,
    macAddress: address && /[1-9a-f]/i.test(address) ? address : null,
    // -1, or no answer at all, while the link is down.
    speedBitsPerSecond: megabits === null || megabits === 0 ? null : megabits * 1e6,
    state: state === 'up' ? 'up' : state && /^(?:down|lowerlayerdown|notpresent)$/.test(state) ? 'down' : 'unknown',
    numaNode: countOf(numaNode),
    driver: /^DRIVER=(.+)$/m.exec(uevent ?? '')?.[1] ?? null,
  }
}

async function readRdma(files: Files): Promise<RdmaDevice[]> {
  const devices = await Promise.all(
    (await sorted(files, RDMA)).map(async (name) => {
      const ports = (await sorted(files, `${RDMA}/${name}/ports`)).filter((port) => /^\d+$/.test(port))
      return Promise.all(ports.map((port) => readRdmaPort(files, name, port)))
    }),
  )
  return devices.flat()
}

async function readRdmaPort(files: Files, name: string, port: string): Promise<RdmaDevice> {
  const root = `${RDMA}/${name}/ports/${port}`
  const [layer, state, rate, ownInterface] = await Promise.all(
    ['link_layer', 'state', 'rate', 'gid_attrs/ndevs/0'].map((file) => read(files, `${root}/${file}`)),
  )
  const [ofDevice] = await files.readDirectory(`${RDMA}/${name}/device/net`)
  const gigabits = /^([\d.]+) Gb\/sec/.exec(rate ?? '')?.[1]
  return {
    name,
    port: Number(port),
    linkLayer: layer === 'InfiniBand' ? 'infiniband' : layer === 'Ethernet' ? 'ethernet' : 'unknown',
    state: state ? (/ACTIVE$/.test(state) ? 'active' : 'down') : 'unknown',
    rateBitsPerSecond: gigabits === undefined ? null : Math.round(Number(gigabits) * 1e9),
    networkInterface: ownInterface || (ofDevice ?? null),
  }
}

async function readDisks(files: Files): Promise<Disk[]> {
  const names = (await sorted(files, BLOCK)).filter((name) => !NOT_A_DISK.test(name))
  const disks = await Promise.all(
    names.map(async (name): Promise<Disk | null> => {
      const [size, hidden, model, rotational] = await Promise.all(
        ['size', 'hidden', 'device/model', 'queue/rotational'].map((file) => read(files, `${BLOCK}/${name}/${file}`)),
      )
      const sectors = countOf(size)
      // Hidden: one of several paths to a disk that is listed by its own name. Empty: a slot without a medium.
      if (!sectors || hidden === '1') return null
      return {
        name,
        model: model || null,
        sizeBytes: sectors * SECTOR_BYTES,
        rotational: rotational === '1' ? true : rotational === '0' ? false : null,
      }
    }),
  )
  return disks.filter((disk) => disk !== null)
}

async function readNuma(files: Files): Promise<NumaNode[]> {
  const ids = (await files.readDirectory(NUMA)).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? [])
  const nodes = await Promise.all(
    ids.map(async (id) => {
      const [cpuList, meminfo] = await Promise.all(
        ['cpulist', 'meminfo'].map((file) => read(files, `${NUMA}/node${id}/${file}`)),
      )
      const kibibytes = countOf(/MemTotal:\s*(\d+) kB/.exec(meminfo ?? '')?.[1])
      const memoryBytes = kibibytes === null ? null : kibibytes * 1024
      return { id: Number(id), cpuList: cpuList ?? '', memoryBytes }
    }),
  )
  return nodes.sort((left, right) => left.id - right.id)
}

async function read(files: Files, file: string): Promise<string | null> {
  return (await files.readFile(file))?.trim() ?? null
}

async function sorted(files: Files, directory: string): Promise<readonly string[]> {
  return [...(await files.readDirectory(directory))].sort(new Intl.Collator('en', { numeric: true }).compare)
}

/** Null for what is no count: the kernel writes -1 where it does not know. */
function countOf(text: string | null | undefined): number | null {
  return text && /^\d{1,18}$/.test(text) ? Number(text) : null
}
