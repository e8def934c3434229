import type { ChipFacts } from '@medley/fleet/protocol'
import { bytesOrNull, countOrNull, numberOrNull, textOrNull } from '../parsing.ts'
import type { HealthReason } from '../reasons.ts'
import type { Row, XmlGpu } from './parse.ts'

const MEBIBYTE = 2 ** 20

/** One chip from a row of named cells; cells that are missing or say "unknown" in any of their ways become `null`. */
export function chipFromRow(row: Row, uuid: string, pciAddress: string | null, numaNode: number | null): ChipFacts {
  const power = numberOrNull(row.get('power.draw'))
  const ecc = countOrNull(row.get('ecc.errors.uncorrected.volatile.total'))
  const capability = textOrNull(row.get('compute_cap'))
  const width = countOrNull(row.get('pcie.link.width.current'))
  const widthMax = countOrNull(row.get('pcie.link.width.max'))
  const reasons = degradations(ecc, width, widthMax)
  return {
    vendor: 'nvidia',
    index: countOrNull(row.get('index')),
    uuid,
    serial: textOrNull(row.get('serial')),
    pciAddress,
    product: textOrNull(row.get('name')) ?? 'NVIDIA GPU',
    cardKey: pciAddress ?? uuid,
    chipOnCard: 0,
    // Jetson and GB10 share memory with the host and print "not available": unknown, not none.
    memoryTotalBytes: bytesOrNull(row.get('memory.total'), MEBIBYTE),
    memoryUsedBytes: bytesOrNull(row.get('memory.used'), MEBIBYTE),
    utilizationRatio: ratio(row.get('utilization.gpu')),
    temperatureCelsius: numberOrNull(row.get('temperature.gpu')),
    powerWatts: power,
    cardPowerWatts: power,
    health: reasons.length > 0 ? 'degraded' : 'healthy',
    healthReasons: reasons.map((reason) => ({ code: reason.code, params: { ...reason.params } })),
    driverVersion: textOrNull(row.get('driver_version')),
    firmwareVersion: textOrNull(row.get('vbios_version')),
    numaNode,
    eccErrorsUncorrected: ecc,
    computeUnits: null,
    features: capability && /^\d+\.\d+$/.test(capability) ? [`sm_${capability.replace('.', '')}`] : [],
    extra: {
      powerLimitWatts: numberOrNull(row.get('power.limit')),
      clockMegahertz: numberOrNull(row.get('clocks.sm') ?? row.get('clocks.current.sm')),
      memoryClockMegahertz: numberOrNull(row.get('clocks.mem') ?? row.get('clocks.current.memory')),
      memoryTemperatureCelsius: numberOrNull(row.get('temperature.memory')),
      memoryUtilizationRatio: ratio(row.get('utilization.memory')),
      fanRatio: ratio(row.get('fan.speed')),
      eccErrorsCorrected: countOrNull(row.get('ecc.errors.corrected.volatile.total')),
      migMode: textOrNull(row.get('mig.mode.current')),
      migDevices: null,
      minor: null,
      pcieGeneration: countOrNull(row.get('pcie.link.gen.current')),
      pcieWidth: width,
      pcieWidthMax: widthMax,
    },
    simulated: false,
  }
}

function ratio(raw: string | undefined): number | null {
  const percent = numberOrNull(raw)
  return percent === null || percent < 0 ? null : Math.min(1, percent / 100)
}

function degradations(ecc: number | null, width: number | null, widthMax: number | null): HealthReason[] {
  const reasons: HealthReason[] = []
  if (ecc) reasons.push({ code: 'ecc-uncorrected', params: { count: String(ecc) } })
  // The generation drops when idle to save power, the width does not.
  if (width && widthMax && width < widthMax) {
    reasons.push({ code: 'link-narrow', params: { current: String(width), maximum: String(widthMax) } })
  }
  return reasons
}

/** Fills from the XML what the CSV withheld, and notes the slices of a divided chip. */
export function withXml(chip: ChipFacts, gpu: XmlGpu): ChipFacts {
  return {
    ...chip,
    memoryTotalBytes: chip.memoryTotalBytes ?? gpu.memoryTotalBytes,
    memoryUsedBytes: chip.memoryUsedBytes ?? gpu.memoryUsedBytes,
    extra: {
      ...chip.extra,
      migMode: chip.extra.migMode ?? gpu.migMode,
      migDevices: gpu.migDevices,
      minor: chip.extra.minor ?? gpu.minor,
    },
  }
}
