import type { ChipDriver, DriverHost, PciFunction } from '@medley/fleet'
import { type ChipFacts, chipFacts } from '@medley/fleet/protocol'
import { readPci } from './pci.ts'
import { ownSlots } from './slots.ts'

/** A slow vendor tool must not keep the node itself unknown. */
const FIRST_READING_PATIENCE_MS = 3_000
/** Rates need two readings; the second follows soon, the others at their interval. */
const SECOND_READING_MS = 2_000
/** A reading this much older than its interval is shown no more: the driver hangs, and nobody knows what is true now. */
const STALE_MS = 60_000
/** One look at the bus serves all drivers of a round: a server has hundreds of functions on it. */
const BUS_AGE_MS = 1_000

export interface ChipReader {
  /** Resolves when every driver has read once, or some have and the others take their time. */
  readonly first: Promise<void>
  chips(): readonly ChipFacts[]
  /** Names of the drivers that have not read once yet: whether they have chips is not known. */
  unread(): readonly string[]
  stop(): void
}

export interface ChipReaderOptions {
  readonly host: DriverHost
  readonly drivers: readonly ChipDriver[]
  /** Tells this node's slots from those of all others. */
  readonly nodeKey: string
  readonly intervalMs: number
  readonly onBroken: (driver: string, error: unknown) => void
  /** A driver read for the first time, or a chip came, went or changed its health; mere readings are not worth a call. */
  readonly onChange: (before: readonly ChipFacts[], after: readonly ChipFacts[], first: boolean) => void
}

/**
 * Reads all chips again and again, each driver at its own pace: a tool that hangs or a driver that breaks its promise
 * costs its own vendor's readings, never another's.
 */
export function startChipReader(options: ChipReaderOptions): ChipReader {
  const found = new Map<string, { readonly chips: readonly ChipFacts[]; readonly atMs: number }>()
  const reading = new Set<string>()
  const timers = new Set<NodeJS.Timeout>()
  const bus = sharedBus(options.host)
  let stopped = false

  const readOnce = async (driver: ChipDriver): Promise<void> => {
    const before = found.get(driver.name)?.chips ?? []
    const first = !found.has(driver.name)
    reading.add(driver.name)
    const after = await readDriver(options, driver, bus).catch((error: unknown) => {
      options.onBroken(driver.name, error)
      return first ? null : before.map(withoutReadings)
    })
    reading.delete(driver.name)
    // Never read is not the same as no chips: the server would take them for pulled out.
    if (after === null) return
    found.set(driver.name, { chips: after, atMs: performance.now() })
    if (!stopped && (first || markOf(after) !== markOf(before))) options.onChange(before, after, first)
  }
  const readOn = async (driver: ChipDriver, nextMs: number): Promise<void> => {
    await readOnce(driver)
    if (stopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      void readOn(driver, options.intervalMs)
    }, nextMs)
    timers.add(timer)
  }
  const all = Promise.all(
    options.drivers.map((driver) => readOn(driver, Math.min(SECOND_READING_MS, options.intervalMs))),
  )
  const patience = new Promise<void>((resolve) => {
    timers.add(setTimeout(resolve, FIRST_READING_PATIENCE_MS))
  })

  const chipsOf = (driver: ChipDriver): readonly ChipFacts[] => {
    const last = found.get(driver.name)
    if (last === undefined) return []
    const stale = reading.has(driver.name) && performance.now() - last.atMs > STALE_MS + options.intervalMs
    return stale ? last.chips.map(withoutReadings) : last.chips
  }

  return {
    first: Promise.race([all.then(() => undefined), patience]),
    chips: () => options.drivers.flatMap(chipsOf),
    unread: () => options.drivers.map(({ name }) => name).filter((name) => !found.has(name)),
    stop: () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

type Bus = () => Promise<readonly PciFunction[]>

function sharedBus(host: DriverHost): Bus {
  let last: { readonly atMs: number; readonly functions: Promise<readonly PciFunction[]> } | null = null
  return () => {
    const nowMs = performance.now()
    if (last === null || nowMs - last.atMs > BUS_AGE_MS) last = { atMs: nowMs, functions: readPci(host) }
    return last.functions
  }
}

async function readDriver(
  { host, nodeKey }: Pick<ChipReaderOptions, 'host' | 'nodeKey'>,
  driver: ChipDriver,
  bus: Bus,
): Promise<readonly ChipFacts[]> {
  const pci = driver.pciVendorIds.length > 0 ? await bus() : []
  // `*`: the driver that shows what no other claims.
  const wanted = (id: string): boolean => driver.pciVendorIds.includes(id) || driver.pciVendorIds.includes('*')
  const chips = await driver.read(
    host,
    pci.filter((func) => wanted(func.vendorId)),
  )
  return ownSlots(
    chips.map((chip) => chipFacts.parse(chip)),
    nodeKey,
  )
}

/** What is left of a chip when its driver fails: it is still there, as far as anyone knows, and nothing else is. */
function withoutReadings(chip: ChipFacts): ChipFacts {
  const readings = { memoryUsedBytes: null, utilizationRatio: null, temperatureCelsius: null, powerWatts: null }
  return { ...chip, ...readings, cardPowerWatts: null, sensors: {}, health: 'unknown', healthReasons: [] }
}

function markOf(chips: readonly ChipFacts[]): string {
  return JSON.stringify(chips.map((chip) => [chip.uuid, chip.health, chip.healthReasons]))
}
