import { createHash } from 'node:crypto'
import os from 'node:os'
import type { ChipDriver, DriverHost } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { formatCpuList } from '../parsing.ts'
import { featuresOf } from './features.ts'
import { readLimits } from './limits.ts'
import { type CpuSummary, parseCpuinfo, parseLscpu } from './lscpu.ts'
import { cpuOutputs } from './outputs.ts'
import { type CpuTicks, parseProcStat, readTemperature, utilization } from './readings.ts'
import { readMemories, shareUnits } from './shares.ts'
import { readSockets, type Socket } from './topology.ts'

/** What the runtime itself knows of the machine: the last resort, and the only source off Linux. */
export interface RuntimeFacts {
  readonly model: string
  readonly logicalCpus: number
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number }
  readonly hostname: string
}

function runtimeFacts(): RuntimeFacts {
  const cpus = os.cpus()
  return {
    model: cpus[0]?.model.trim() || os.machine(),
    logicalCpus: Math.max(1, cpus.length, os.availableParallelism()),
    memory: { totalBytes: os.totalmem(), availableBytes: os.freemem() },
    hostname: os.hostname(),
  }
}

/** What does not change while the same processors are on line: read once. */
interface Inventory {
  readonly online: string | null
  readonly summary: CpuSummary
  readonly sockets: readonly Socket[]
  readonly machineKey: string
  readonly keyedBy: 'machine-id' | 'hostname'
}

/**
 * The machine's own processor as a chip: one per socket. Limits of control groups and affinity are what counts
 * (`computeUnits`, `memoryTotalBytes`); the bare figures stand beside them in `extra`.
 */
export function createCpuDriver(runtime: () => RuntimeFacts = runtimeFacts): ChipDriver {
  let inventory: Inventory | null = null
  let ticks: ReadonlyMap<number, CpuTicks> | null = null
  return {
    name: 'cpu',
    layoutVerified: true,
    domestic: null,
    ...cpuOutputs,
    pciVendorIds: [],
    kubernetesResources: ['cpu'],
    torchDevice: 'cpu',
    collectiveLibrary: 'gloo',
    sheets: [],
    read: async (host) => {
      const online = await host.readFile('/sys/devices/system/cpu/online')
      if (inventory === null || inventory.online !== online) inventory = await takeInventory(host, online, runtime())
      const now = parseProcStat((await host.readFile('/proc/stat')) ?? '')
      const chips = await readChips(host, inventory, runtime(), (cpus) => utilization(ticks, now, cpus))
      ticks = now
      return chips
    },
    bind: () => ({ env: {}, devices: [], mounts: [] }),
  }
}

async function takeInventory(host: DriverHost, online: string | null, runtime: RuntimeFacts): Promise<Inventory> {
  const summary = await readSummary(host, runtime)
  const sockets = await readSockets(host)
  const whole: Socket = {
    socket: 0,
    cpus: Array.from({ length: runtime.logicalCpus }, (_, cpu) => cpu),
    cores: summary.coresPerSocket,
    numaNodes: [],
    lastLevelCacheBytes: summary.lastLevelCacheBytes,
    cacheLevel: null,
  }
  const machineId =
    (await host.readFile('/etc/machine-id'))?.trim() || (await host.readFile('/var/lib/dbus/machine-id'))?.trim()
  const identity = machineId || `${runtime.hostname}\n${summary.product}`
  return {
    online,
    summary,
    sockets: sockets.length > 0 ? sockets : [whole],
    // The machine id is confidential (machine-id(5)): only a keyed hash of it may leave the host.
    machineKey: createHash('sha256').update(`medley.cpu\n${identity}`).digest('hex'),
    keyedBy: machineId ? 'machine-id' : 'hostname',
  }
}

async function readSummary(host: DriverHost, runtime: RuntimeFacts): Promise<CpuSummary> {
  const cpuinfo = parseCpuinfo((await host.readFile('/proc/cpuinfo')) ?? '')
  const lscpu = host.platform === 'linux' ? await runLscpu(host) : null
  return {
    product: (lscpu?.product ?? cpuinfo.product ?? runtime.model).replace(/\s+/g, ' '),
    vendorId: lscpu?.vendorId ?? cpuinfo.vendorId,
    sockets: lscpu?.sockets ?? cpuinfo.sockets,
    coresPerSocket: lscpu?.coresPerSocket ?? cpuinfo.coresPerSocket,
    threadsPerCore: lscpu?.threadsPerCore ?? cpuinfo.threadsPerCore,
    logicalCpus: lscpu?.logicalCpus ?? cpuinfo.logicalCpus ?? runtime.logicalCpus,
    flags: lscpu?.flags ?? cpuinfo.flags,
    hypervisor: lscpu?.hypervisor ?? null,
    lastLevelCacheBytes: lscpu?.lastLevelCacheBytes ?? null,
  }
}

async function runLscpu(host: DriverHost): Promise<CpuSummary | null> {
  const candidates = ['/usr/bin/lscpu', '/bin/lscpu', 'lscpu']
  // Without -J (busybox, util-linux before 2.30) the table is read instead.
  for (const args of [['-J'], []]) {
    const outcome = await host.run({ candidates, args, timeoutMs: 10_000 })
    const parsed = outcome.kind === 'output' ? parseLscpu(outcome.stdout) : null
    if (parsed) return parsed
  }
  return null
}

type Utilization = (cpus: readonly number[]) => number | null

async function readChips(
  host: DriverHost,
  inventory: Inventory,
  runtime: RuntimeFacts,
  utilizationOf: Utilization,
): Promise<readonly ChipFacts[]> {
  const limits = await readLimits(host)
  const memories = await readMemories(host, inventory.sockets, limits, runtime.memory)
  const usable = inventory.sockets.map((socket) =>
    socket.cpus.filter((cpu) => limits.allowedCpus?.includes(cpu) ?? true),
  )
  // Off Linux, or with a garbled affinity, no socket would be left: then the limit is not believed.
  const believed = usable.some((cpus) => cpus.length > 0) ? usable : inventory.sockets.map((socket) => socket.cpus)
  const units = shareUnits(
    believed.map((cpus) => cpus.length),
    limits.quotaCpus,
  )
  const chips = await Promise.all(
    inventory.sockets.map(async (socket, index): Promise<ChipFacts | null> => {
      const cpus = believed[index] ?? []
      const memory = memories[index]
      if (cpus.length === 0) return null
      return {
        ...constantFacts(inventory, socket),
        memoryTotalBytes: memory?.totalBytes ?? null,
        memoryUsedBytes: memory?.usedBytes ?? null,
        utilizationRatio: utilizationOf(cpus),
        temperatureCelsius: await readTemperature(host, socket.socket, inventory.sockets.length),
        computeUnits: units[index] ?? null,
        features: featuresOf(inventory.summary.flags, host.architecture),
        extra: {
          ...constantExtra(inventory, socket, host.architecture),
          allowedCpus: formatCpuList(cpus),
          cpuQuota: limits.quotaCpus,
          memoryRawBytes: memory?.rawBytes ?? null,
          memoryLimitBytes: memory && memory.totalBytes < memory.rawBytes ? limits.memoryLimitBytes : null,
        },
      }
    }),
  )
  return chips.filter((chip) => chip !== null)
}

function constantFacts(inventory: Inventory, socket: Socket) {
  const uuid = `cpu-${createHash('sha256').update(`${inventory.machineKey}\n${socket.socket}`).digest('hex').slice(0, 32)}`
  return {
    vendor: 'cpu',
    index: socket.socket,
    uuid,
    serial: null,
    pciAddress: null,
    product: inventory.summary.product ?? 'CPU',
    cardKey: uuid,
    chipOnCard: 0,
    powerWatts: null,
    cardPowerWatts: null,
    health: 'healthy',
    healthReasons: [],
    driverVersion: null,
    firmwareVersion: null,
    numaNode: socket.numaNodes.length === 1 ? (socket.numaNodes[0] ?? null) : null,
    eccErrorsUncorrected: null,
    simulated: false,
  } satisfies Partial<ChipFacts>
}

function constantExtra(inventory: Inventory, socket: Socket, architecture: string) {
  const { summary, sockets } = inventory
  const known = socket.lastLevelCacheBytes
  return {
    architecture,
    vendorId: summary.vendorId,
    hypervisor: summary.hypervisor,
    sockets: Math.max(sockets.length, summary.sockets ?? 0),
    cores: socket.cores ?? summary.coresPerSocket,
    threadsPerCore: socket.cores ? socket.cpus.length / socket.cores : summary.threadsPerCore,
    logicalCpus: socket.cpus.length,
    numaNodes: formatCpuList(socket.numaNodes),
    lastLevelCacheBytes: known ?? (summary.lastLevelCacheBytes && summary.lastLevelCacheBytes / sockets.length),
    lastLevelCacheLevel: socket.cacheLevel,
    identifiedBy: inventory.keyedBy,
  }
}
