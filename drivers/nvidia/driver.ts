import type { ChipDriver, DriverHost, PciFunction, ToolOutcome } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { countOrNull, normalizePciAddress, parseKeyValues, textOrNull } from '../parsing.ts'
import type { HealthReason } from '../reasons.ts'
import { chipFromRow, withXml } from './chip.ts'
import { nvidiaOutputs } from './outputs.ts'
import { type Listing, parseQuery, parseSlices, parseXml, type Row } from './parse.ts'
import { nvidiaSheets } from './sheets.ts'

const TOOL = 'nvidia-smi'
const CANDIDATES = ['/usr/bin/nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi', '/usr/local/nvidia/bin/nvidia-smi', TOOL]

/** One unknown field fails the whole query, so what every driver knows is asked apart from what newer ones know. */
const MANDATORY = 'index,uuid,pci.bus_id,name,driver_version,memory.total,memory.used'
const OPTIONAL = [
  'index,uuid,serial,vbios_version,utilization.gpu,temperature.gpu,power.draw,power.limit',
  'ecc.errors.uncorrected.volatile.total,mig.mode.current,compute_cap',
  'pcie.link.gen.current,pcie.link.width.current,pcie.link.width.max',
].join(',')
/** Readings that some cards and old drivers do not know by these names. */
const SENSORS =
  'index,uuid,clocks.sm,clocks.mem,temperature.memory,utilization.memory,fan.speed,ecc.errors.corrected.volatile.total'

/** The first call may load the kernel driver card by card; later ones must not hold up the round. */
const FIRST_TIMEOUT_MS = 60_000
const POLL_TIMEOUT_MS = 10_000

export function createNvidiaDriver(): ChipDriver {
  /** Last healthy sight by PCI address: a lost card keeps its uuid, so that its history goes on. */
  const seen = new Map<string, ChipFacts>()
  let timeoutMs = FIRST_TIMEOUT_MS
  return {
    name: 'nvidia',
    layoutVerified: true,
    domestic: false,
    ...nvidiaOutputs,
    pciVendorIds: ['10de'],
    kubernetesResources: ['nvidia.com/gpu'],
    torchDevice: 'cuda',
    collectiveLibrary: 'nccl',
    sheets: nvidiaSheets,
    topology: { candidates: CANDIDATES, args: ['topo', '-m'] },
    read: async (host, pci) => {
      if (pci.length === 0 && !(await hinted(host))) return []
      const query = (fields: string): Promise<ToolOutcome> =>
        host.run({ candidates: CANDIDATES, args: [`--query-gpu=${fields}`, '--format=csv,nounits'], timeoutMs })
      const outcome = await query(MANDATORY)
      const listing = outcome.kind === 'output' ? parseQuery(outcome.stdout, outcome.stderr) : null
      if (!listing || listing.rows.length === 0) return unusable(pci, seen, failure(outcome, listing))
      timeoutMs = POLL_TIMEOUT_MS
      const more = await query(OPTIONAL)
      const rest = more.kind === 'timeout' ? more : await query(SENSORS)
      const details = [more, rest].flatMap((answer) =>
        answer.kind === 'output' ? parseQuery(answer.stdout, answer.stderr).rows : [],
      )
      const rows = await Promise.all(readRows(listing.rows, details, pci).map((chip) => readMinor(host, chip)))
      const chips = await readSlices(host, await readXmlWhereNeeded(host, rows, timeoutMs), timeoutMs)
      for (const chip of chips) if (chip.pciAddress) seen.set(chip.pciAddress, chip)
      return [...chips, ...(await readLost(host, pci, chips, listing, seen))]
    },
    bind: (chips) => {
      const uuids = chips.map((chip) => chip.uuid).join(',')
      return {
        env: { CUDA_VISIBLE_DEVICES: uuids, NVIDIA_VISIBLE_DEVICES: uuids, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' },
        devices: [
          '/dev/nvidiactl',
          '/dev/nvidia-uvm',
          ...chips.flatMap((chip) => (chip.extra.minor == null ? [] : [`/dev/nvidia${chip.extra.minor}`])),
        ],
        mounts: [],
      }
    },
  }
}

/** Cards can be usable without a PCI bus in sight: WSL, sandboxes that mask sysfs, Windows. */
async function hinted(host: DriverHost): Promise<boolean> {
  if (host.platform === 'win32') return true
  if (host.platform !== 'linux') return false
  return (await host.readDirectory('/dev')).some((name) => /^nvidia\d+$/.test(name) || name === 'dxg')
}

function readRows(rows: readonly Row[], details: readonly Row[], pci: readonly PciFunction[]): ChipFacts[] {
  // A garbled table may name one card twice; a chip must be in the report once.
  const taken = new Set<string>()
  const byUuid = new Map<string | undefined, Row>()
  for (const row of details) byUuid.set(row.get('uuid'), new Map([...(byUuid.get(row.get('uuid')) ?? []), ...row]))
  return rows.flatMap((row) => {
    const address = normalizePciAddress(row.get('pci.bus_id'))
    const uuid = textOrNull(row.get('uuid'))
    // Without a uuid nothing can be keyed by it; the address is found missing and reported as lost.
    if (uuid === null || taken.has(uuid) || (address !== null && taken.has(address))) return []
    taken.add(uuid)
    if (address !== null) taken.add(address)
    const numaNode = pci.find((func) => func.address === address)?.numaNode ?? null
    return [chipFromRow(new Map([...(byUuid.get(uuid) ?? []), ...row]), uuid, address, numaNode)]
  })
}

/** Number of the device file: the driver's own, not the tool's index. */
async function readMinor(host: DriverHost, chip: ChipFacts): Promise<ChipFacts> {
  const information = await host.readFile(`/proc/driver/nvidia/gpus/${chip.pciAddress}/information`)
  return { ...chip, extra: { ...chip.extra, minor: countOrNull(parseKeyValues(information).get('device minor')) } }
}

async function readXmlWhereNeeded(host: DriverHost, chips: ChipFacts[], timeoutMs: number): Promise<ChipFacts[]> {
  const needed = chips.some((chip) => chip.memoryTotalBytes === null || chip.extra.migMode === 'Enabled')
  if (!needed) return chips
  const outcome = await host.run({ candidates: CANDIDATES, args: ['-q', '-x'], timeoutMs })
  if (outcome.kind !== 'output') return chips
  const gpus = parseXml(outcome.stdout)
  return chips.map((chip) => {
    const gpu = gpus.find((candidate) => candidate.pciAddress === chip.pciAddress)
    return gpu ? withXml(chip, gpu) : chip
  })
}

/** How a divided chip is cut now; only the list of devices names the uuids of slices. */
async function readSlices(host: DriverHost, chips: ChipFacts[], timeoutMs: number): Promise<ChipFacts[]> {
  if (!chips.some((chip) => chip.extra.migMode === 'Enabled')) return chips
  const outcome = await host.run({ candidates: CANDIDATES, args: ['-L'], timeoutMs })
  if (outcome.kind !== 'output') return chips
  const slices = parseSlices(outcome.stdout)
  return chips.map((chip) =>
    chip.extra.migMode === 'Enabled' ? { ...chip, slices: slices.get(chip.uuid) ?? [] } : chip,
  )
}

function failure(outcome: ToolOutcome, listing: Listing | null): HealthReason {
  if (outcome.kind === 'missing') return { code: 'tool-missing', params: { tool: TOOL } }
  if (outcome.kind === 'timeout') return { code: 'tool-timeout', params: { tool: TOOL } }
  if (outcome.kind === 'too-large') return { code: 'tool-too-large', params: { tool: TOOL } }
  const message = (listing?.messages[0] ?? 'no output').slice(0, 200)
  return { code: 'tool-failed', params: { tool: TOOL, exitCode: String(outcome.exitCode ?? ''), message } }
}

function unusable(
  pci: readonly PciFunction[],
  seen: ReadonlyMap<string, ChipFacts>,
  reason: HealthReason,
): readonly ChipFacts[] {
  return pci.map((func) => ({
    ...unreadable(func, seen.get(func.address)),
    health: 'unusable',
    healthReasons: [reason],
  }))
}

/** On the bus but not in the answer. */
async function readLost(
  host: DriverHost,
  pci: readonly PciFunction[],
  chips: readonly ChipFacts[],
  listing: Listing,
  seen: ReadonlyMap<string, ChipFacts>,
): Promise<readonly ChipFacts[]> {
  const listed = new Set(chips.map((chip) => chip.pciAddress))
  const missing = pci.filter((func) => !listed.has(func.address))
  return Promise.all(
    missing.map(async (func): Promise<ChipFacts> => {
      const bound = /^DRIVER=(.+)$/m.exec(
        (await host.readFile(`/sys/bus/pci/devices/${func.address}/uevent`)) ?? '',
      )?.[1]
      const chip = unreadable(func, seen.get(func.address))
      if (bound && bound !== 'nvidia' && !listing.unreachable.includes(func.address)) {
        return { ...chip, health: 'unusable', healthReasons: [{ code: 'bound-elsewhere', params: { driver: bound } }] }
      }
      return { ...chip, health: 'lost', healthReasons: [{ code: 'not-listed', params: { tool: TOOL } }] }
    }),
  )
}

function unreadable(func: PciFunction, last: ChipFacts | undefined): ChipFacts {
  const known: ChipFacts = last ?? {
    ...chipFromRow(new Map(), `nvidia-pci-${func.address}`, func.address, func.numaNode),
    product: `NVIDIA ${func.deviceId}`,
  }
  return {
    ...known,
    memoryUsedBytes: null,
    utilizationRatio: null,
    temperatureCelsius: null,
    powerWatts: null,
    cardPowerWatts: null,
  }
}
