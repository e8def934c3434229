import { z } from 'zod'
import { chipOf, type OutputReader, ratioOf } from './outputs.ts'
import { normalizePciAddress, textOrNull } from './parsing.ts'

const MEBIBYTE = 2 ** 20
const number = z.number().nullish()
const text = z.string().nullish()

const device = z.object({
  manufacturer: z.string(),
  index: z.number().int().nonnegative().nullish(),
  name: text,
  uuid: text,
  driver_version: text,
  cores: number,
  cores_utilization: number,
  memory: number,
  memory_used: number,
  memory_status: text,
  temperature: number,
  power: number,
  power_used: number,
  appendix: z
    .object({ bdf: text, numa: text, minor_number: number, card_id: number, device_id: number, physical_id: number })
    .nullish(),
})

const topology = z.object({
  manufacturer: z.string(),
  devices_distances: z.array(z.array(z.number())),
  devices_cpu_affinities: z.array(z.string()).nullish(),
  devices_numa_affinities: z.array(z.string()).nullish(),
})

/**
 * The vendor-neutral record that the open gpustack-runtime detector prints (`gpustack-runtime detect --format json`):
 * no vendor's tool, but often what a bug report holds. Memory in MiB, power (the limit) and power used in watts.
 */
export function readNormalised(vendor: string, manufacturer: string = vendor): OutputReader {
  return {
    command: 'gpustack-runtime detect',
    answersTo: /gpustack/,
    matches: (raw) => /^\s*\[\s*\{\s*"manufacturer"/.test(raw),
    read: (raw) => {
      const parsed: unknown = JSON.parse(raw)
      const devices = z.array(device).safeParse(parsed)
      const matrices = z.array(topology).safeParse(parsed)
      if (matrices.success) {
        const own = matrices.data.find((matrix) => matrix.manufacturer === manufacturer)
        return own
          ? {
              facts: {
                distances: own.devices_distances,
                cpuAffinities: own.devices_cpu_affinities ?? null,
                numaAffinities: own.devices_numa_affinities ?? null,
              },
            }
          : null
      }
      return devices.success
        ? {
            chips: devices.data
              .filter((found) => found.manufacturer === manufacturer)
              .map((found) => chipOfRecord(vendor, found)),
          }
        : null
    },
  }
}

function chipOfRecord(vendor: string, found: z.infer<typeof device>) {
  const uuid = textOrNull(found.uuid)
  const power = found.power_used ?? null
  const numa = Number.parseInt(found.appendix?.numa ?? '', 10)
  return chipOf({
    vendor,
    index: found.index ?? null,
    ...(uuid === null ? {} : { uuid }),
    product: textOrNull(found.name) ?? vendor,
    pciAddress: normalizePciAddress(found.appendix?.bdf),
    memoryTotalBytes: bytesOf(found.memory),
    memoryUsedBytes: bytesOf(found.memory_used),
    utilizationRatio: ratioOf(found.cores_utilization ?? null),
    temperatureCelsius: found.temperature ?? null,
    powerWatts: power,
    cardPowerWatts: power,
    health: found.memory_status === 'healthy' ? 'healthy' : found.memory_status ? 'degraded' : 'unknown',
    driverVersion: textOrNull(found.driver_version),
    numaNode: Number.isSafeInteger(numa) && numa >= 0 ? numa : null,
    computeUnits: found.cores && Number.isSafeInteger(found.cores) && found.cores > 0 ? found.cores : null,
    extra: { powerLimitWatts: found.power ?? null, minor: found.appendix?.minor_number ?? null },
  })
}

function bytesOf(mebibytes: number | null | undefined): number | null {
  if (mebibytes === null || mebibytes === undefined || mebibytes < 0) return null
  const bytes = Math.round(mebibytes * MEBIBYTE)
  return Number.isSafeInteger(bytes) ? bytes : null
}
