import type { Fact } from '@medley/fleet'
import { isRecord, parseLooseJson } from './json-paths.ts'
import { ratioOf } from './outputs.ts'
import { normalizePciAddress } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'
import type { VendorCommand } from './vendor-tool.ts'

/**
 * Records in the vendor-neutral shape of the gpustack-runtime detector, which operators paste in bug reports: one
 * `{manufacturer, index, name, uuid, ...}` a device, memory in MiB, power as cap and draw.
 */
export function detectorCommands(manufacturer: string): readonly VendorCommand[] {
  const records = (text: string): readonly Readonly<Record<string, unknown>>[] => {
    const parsed = text.includes('"manufacturer"') ? parseLooseJson(text) : null
    return Array.isArray(parsed)
      ? parsed.filter((record) => isRecord(record) && record.manufacturer === manufacturer).filter(isRecord)
      : []
  }
  return [
    {
      command: 'gpustack-runtime detect --format json',
      answersTo: /gpustack-runtime detect/,
      matches: (text) => records(text).some((record) => 'index' in record),
      read: (text) => ({
        readings: records(text)
          .filter((record) => 'index' in record)
          .map(readDevice),
      }),
    },
    {
      command: 'gpustack-runtime topology --format json',
      answersTo: /gpustack-runtime topology/,
      matches: (text) => records(text).some((record) => 'devices_distances' in record),
      read: (text) => {
        const found = records(text).find((record) => 'devices_distances' in record)
        if (!found) return null
        return {
          facts: {
            distances: asFact(found.devices_distances),
            cpuAffinities: asFact(found.devices_cpu_affinities),
            numaAffinities: asFact(found.devices_numa_affinities),
            links: asFact(found.appendices),
          },
        }
      },
    },
  ]
}

function readDevice(record: Readonly<Record<string, unknown>>): Reading {
  const appendix = isRecord(record.appendix) ? record.appendix : {}
  const mebibytes = (value: unknown): number | null => {
    const figure = asNumber(value)
    return figure === null ? null : Math.round(figure * 2 ** 20)
  }
  const numa = Number(asText(appendix.numa) ?? Number.NaN)
  const capability = asText(record.compute_capability)
  const healthy = asText(record.memory_status)
  return readingOf({
    index: asNumber(record.index),
    uuid: asText(record.uuid),
    product: asText(record.name),
    driverVersion: asText(record.driver_version),
    pciAddress: normalizePciAddress(asText(appendix.bdf)),
    memoryTotalBytes: mebibytes(record.memory),
    memoryUsedBytes: mebibytes(record.memory_used),
    utilizationRatio: ratioOf(asNumber(record.cores_utilization)),
    temperatureCelsius: asNumber(record.temperature),
    powerWatts: asNumber(record.power_used),
    numaNode: Number.isInteger(numa) && numa >= 0 ? numa : null,
    health: healthy === null || healthy === 'healthy' ? null : 'degraded',
    reasons:
      healthy === null || healthy === 'healthy'
        ? []
        : [{ code: 'health-reported', params: { tool: 'gpustack-runtime', value: healthy.slice(0, 40) } }],
    computeUnits: asNumber(record.cores),
    extra: {
      powerLimitWatts: asNumber(record.power),
      computeCapability: capability,
      minor: asNumber(appendix.minor_number),
    },
  })
}

function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Plain data of a parsed JSON; deeper than a matrix of records nothing is kept. */
function asFact(value: unknown, depth = 0): Fact {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (depth > 4) return null
  if (Array.isArray(value)) return value.slice(0, 1_000).map((item) => asFact(item, depth + 1))
  if (!isRecord(value)) return null
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asFact(item, depth + 1)]))
}
