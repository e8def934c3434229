import type { ChipDriver, DriverHost, PciFunction, ToolOutcome } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { chipOf, cleanText, isMadeUuid, RAW_TEXT_LIMIT } from './outputs.ts'
import type { HealthReason } from './reasons.ts'

/** The first call may load the kernel driver card by card; later ones must not hold up the round. */
const FIRST_TIMEOUT_MS = 60_000
const POLL_TIMEOUT_MS = 10_000

/** Runs one command of the tool; `candidates` where it is not the tool's main program. */
export type Ask = (args: readonly string[], candidates?: readonly string[]) => Promise<ToolOutcome>

/** What one round of a vendor's commands said. */
export interface Round {
  readonly chips: readonly ChipFacts[]
  /** The answer that should have listed chips: why there are none, and the raw text. */
  readonly answer: ToolOutcome
}

export interface ToolSpec {
  readonly vendor: string
  /** Name of the tool in reasons. */
  readonly tool: string
  readonly candidates: readonly string[]
  /** Device files that show a card where the bus is out of sight (containers that mask sysfs). */
  readonly deviceFiles: RegExp
  /** Kernel drivers under which the tool can see a card; bound to another one, it is not lost but lent. */
  readonly kernelDrivers: RegExp
  /** Product name by PCI device id, for cards the tool does not name. */
  readonly productOf: (deviceId: string) => string
  /** Which of the vendor's functions on the bus are accelerators: some vendors make network cards and consoles too. */
  readonly isChip?: (func: PciFunction) => boolean
  poll(ask: Ask, host: DriverHost): Promise<Round>
}

/**
 * The round common to all vendors: bus first, then the tool, then the difference. A card keeps the uuid it had, also
 * when it is lost or when a poorer command had to stand in for a better one. Stateful: one per agent.
 */
export function createToolReading(spec: ToolSpec): ChipDriver['read'] {
  const seen = new Map<string, ChipFacts>()
  let timeoutMs = FIRST_TIMEOUT_MS
  return async (host, bus) => {
    const pci = bus.filter((func) => spec.isChip?.(func) ?? true)
    if (pci.length === 0 && !(await hinted(host, spec))) return []
    const ask: Ask = async (args, candidates = spec.candidates) => {
      const outcome = await host.run({ candidates, args, timeoutMs })
      return outcome.kind === 'output' ? { ...outcome, stdout: cleanText(outcome.stdout) } : outcome
    }
    const round = await spec.poll(ask, host)
    const chips = settle(round.chips, pci, seen)
    if (chips.length === 0) return unusable(spec, pci, seen, round.answer)
    timeoutMs = POLL_TIMEOUT_MS
    for (const chip of chips) if (chip.pciAddress) seen.set(placeOf(chip, chips), chip)
    return [...chips, ...(await readLost(host, spec, pci, chips, seen))]
  }
}

/** Where a chip sits: its address, and which of them it is only where several chips have one address. */
function placeOf(chip: ChipFacts, among: readonly ChipFacts[]): string {
  const shared = among.filter((other) => other.pciAddress === chip.pciAddress).length > 1
  return `${chip.pciAddress}/${shared ? chip.chipOnCard : 0}`
}

async function hinted(host: DriverHost, spec: ToolSpec): Promise<boolean> {
  if (host.platform !== 'linux') return false
  return (await host.readDirectory('/dev')).some((name) => spec.deviceFiles.test(name))
}

/** Each chip once, with the node of memory the bus knows and the uuid it had before. */
function settle(
  chips: readonly ChipFacts[],
  pci: readonly PciFunction[],
  seen: ReadonlyMap<string, ChipFacts>,
): readonly ChipFacts[] {
  const taken = new Set<string>()
  return chips.flatMap((chip) => {
    const before = chip.pciAddress ? seen.get(placeOf(chip, chips)) : undefined
    const uuid = before && isMadeUuid(chip) ? before.uuid : chip.uuid
    const place = chip.pciAddress ? placeOf(chip, chips) : uuid
    if (taken.has(uuid) || taken.has(place)) return []
    taken.add(uuid).add(place)
    const numaNode = chip.numaNode ?? pci.find((func) => func.address === chip.pciAddress)?.numaNode ?? null
    return [{ ...chip, uuid, numaNode, serial: chip.serial ?? before?.serial ?? null }]
  })
}

/** Why an answer holds no chips. */
function reasonOf(tool: string, answer: ToolOutcome): HealthReason {
  if (answer.kind === 'missing') return { code: 'tool-missing', params: { tool } }
  if (answer.kind === 'timeout') return { code: 'tool-timeout', params: { tool } }
  if (answer.kind === 'too-large') return { code: 'tool-too-large', params: { tool } }
  const lines = `${answer.stderr}\n${answer.stdout}`.split('\n').map((line) => line.trim())
  const message = (lines.find((line) => line !== '' && !/^[+\-=|\s]+$/.test(line)) ?? 'no output').slice(0, 200)
  return { code: 'tool-failed', params: { tool, exitCode: String(answer.exitCode ?? ''), message } }
}

function unusable(
  spec: ToolSpec,
  pci: readonly PciFunction[],
  seen: ReadonlyMap<string, ChipFacts>,
  answer: ToolOutcome,
): readonly ChipFacts[] {
  const reason = reasonOf(spec.tool, answer)
  // For support; once per vendor, for the text is the same for all of its cards.
  const raw = answer.kind === 'output' ? `${answer.stdout}\n${answer.stderr}`.trim().slice(0, RAW_TEXT_LIMIT) : ''
  return pci
    .flatMap((func) => unreadable(spec, func, seen))
    .map((chip, at) => ({
      ...chip,
      health: 'unusable',
      healthReasons: [{ code: reason.code, params: { ...reason.params } }],
      extra: at === 0 && raw !== '' ? { ...chip.extra, rawOutput: raw } : chip.extra,
    }))
}

/** On the bus but not in the answer. */
async function readLost(
  host: DriverHost,
  spec: ToolSpec,
  pci: readonly PciFunction[],
  chips: readonly ChipFacts[],
  seen: ReadonlyMap<string, ChipFacts>,
): Promise<readonly ChipFacts[]> {
  const listed = new Set(chips.map((chip) => chip.pciAddress))
  const missing = pci.filter((func) => !listed.has(func.address))
  const homeless = chips.filter((chip) => chip.pciAddress === null).length
  // Old tools print no addresses: then only the number says that a card is lost, not which one.
  if (homeless > 0) return unattributed(spec, missing.length - homeless)
  const read = missing.map(async (func): Promise<ChipFacts[]> => {
    const uevent = (await host.readFile(`/sys/bus/pci/devices/${func.address}/uevent`)) ?? ''
    const bound = /^DRIVER=(.+)$/m.exec(uevent)?.[1]
    const lent = bound !== undefined && !spec.kernelDrivers.test(bound)
    return unreadable(spec, func, seen).map((chip) => ({
      ...chip,
      health: lent ? 'unusable' : 'lost',
      healthReasons: [
        lent
          ? { code: 'bound-elsewhere', params: { driver: bound } }
          : { code: 'not-listed', params: { tool: spec.tool } },
      ],
    }))
  })
  return (await Promise.all(read)).flat()
}

function unattributed(spec: ToolSpec, count: number): readonly ChipFacts[] {
  return Array.from({ length: Math.max(0, count) }, (_, at) =>
    chipOf({
      vendor: spec.vendor,
      product: spec.productOf(''),
      uuid: `${spec.vendor}-unattributed-${at}`,
      health: 'lost',
      healthReasons: [{ code: 'not-listed', params: { tool: spec.tool } }],
    }),
  )
}

/** The chips last seen behind this function, without their readings; one that was never seen has only its place. */
function unreadable(spec: ToolSpec, func: PciFunction, seen: ReadonlyMap<string, ChipFacts>): readonly ChipFacts[] {
  const known = [...seen.values()].filter((chip) => chip.pciAddress === func.address)
  if (known.length === 0) {
    const product = spec.productOf(func.deviceId)
    return [chipOf({ vendor: spec.vendor, product, pciAddress: func.address, numaNode: func.numaNode })]
  }
  const readings = { memoryUsedBytes: null, utilizationRatio: null, temperatureCelsius: null, powerWatts: null }
  return known.map((chip) => ({ ...chip, ...readings, cardPowerWatts: null }))
}
