import type { DriverHost } from '@medley/fleet'
import { bytesOrNull, numberOrNull, parseKeyValues } from '../parsing.ts'

export interface CpuTicks {
  readonly busy: number
  readonly total: number
}

/**
 * Ticks per logical processor from `/proc/stat`: user nice system idle iowait irq softirq steal. Guest time is
 * already inside user time (proc(5)). Waiting for a disk is idle; time stolen by the hypervisor is busy.
 */
export function parseProcStat(text: string): Map<number, CpuTicks> {
  const found = new Map<number, CpuTicks>()
  for (const line of text.split('\n')) {
    const match = /^cpu(\d{1,6})((?: \d{1,18}){4,})/.exec(line)
    if (!match?.[2]) continue
    const ticks = match[2].trim().split(' ').slice(0, 8).map(Number)
    const total = ticks.reduce((sum, value) => sum + value, 0)
    found.set(Number(match[1]), { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total })
  }
  return found
}

/** Busy share of `cpus` between two readings, 0..1; `null` on the first reading or when no time has passed. */
export function utilization(
  before: ReadonlyMap<number, CpuTicks> | null,
  after: ReadonlyMap<number, CpuTicks>,
  cpus: readonly number[],
): number | null {
  let busy = 0
  let total = 0
  for (const cpu of cpus) {
    const [from, to] = [before?.get(cpu), after.get(cpu)]
    // Counters of a processor that went off line and came back start anew.
    if (!from || !to || to.total < from.total || to.busy < from.busy) continue
    busy += to.busy - from.busy
    total += to.total - from.total
  }
  return total > 0 ? Math.min(1, busy / total) : null
}

export interface Memory {
  readonly totalBytes: number
  readonly availableBytes: number | null
}

/** `/proc/meminfo`, or a NUMA node's `meminfo` (`Node 0 MemTotal: ...`). Its "kB" are KiB. */
export function parseMeminfo(text: string | null): Memory | null {
  const fields = parseKeyValues(text?.replace(/^Node \d+ /gm, ''))
  const totalBytes = bytesOrNull(fields.get('memtotal'), 1024)
  if (!totalBytes) return null
  const free = bytesOrNull(fields.get('memfree'), 1024)
  // A node's meminfo has no MemAvailable; free memory plus cold file pages is what the kernel would count first.
  const cold = bytesOrNull(fields.get('inactive(file)'), 1024) ?? 0
  const availableBytes = bytesOrNull(fields.get('memavailable'), 1024) ?? (free === null ? null : free + cold)
  return { totalBytes, availableBytes }
}

const SENSORS = new Set([
  'coretemp',
  'k10temp',
  'zenpower',
  'cpu_thermal',
  'cputemp',
  'scpi_sensors',
  'loongson3_cputemp',
])

/** Degrees Celsius of one socket by hwmon; `null` where the kernel shows no processor sensor. */
export async function readTemperature(host: DriverHost, socket: number, sockets: number): Promise<number | null> {
  const root = '/sys/class/hwmon'
  const names = [...(await host.readDirectory(root))].sort((left, right) => digits(left) - digits(right))
  const read = await Promise.all(
    names.map(async (name) => ((await host.readFile(`${root}/${name}/name`)) ?? '').trim()),
  )
  const sensors = names.filter((_, index) => SENSORS.has(read[index] ?? ''))
  const readings = await Promise.all(sensors.map((name) => readSensor(host, `${root}/${name}`)))
  const labelled = readings.flat().find((reading) => reading.label === `Package id ${socket}`)
  if (labelled) return labelled.celsius
  // Sensors without a package label come one per socket, in socket order.
  const own = sensors.length === sockets ? (readings[socket] ?? []) : readings.flat()
  return own.length > 0 ? Math.max(...own.map((reading) => reading.celsius)) : null
}

function digits(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0)
}

async function readSensor(host: DriverHost, root: string): Promise<{ label: string; celsius: number }[]> {
  const inputs = (await host.readDirectory(root)).filter((name) => /^temp\d+_input$/.test(name))
  const readings = await Promise.all(
    inputs.map(async (input) => ({
      label: ((await host.readFile(`${root}/${input.replace('_input', '_label')}`)) ?? '').trim(),
      celsius: (numberOrNull(await host.readFile(`${root}/${input}`)) ?? Number.NaN) / 1000,
    })),
  )
  return readings.filter((reading) => reading.celsius > -60 && reading.celsius < 200)
}
