import type { ChipFacts } from '@medley/fleet/protocol'

/** Under which names the vendors' drivers show what the metric catalogue knows; the first that is known counts. */
const SENSORS: Readonly<Record<string, readonly (readonly [name: string, factor: number])[]>> = {
  powerLimitWatts: [['powerLimitWatts', 1]],
  clockHertz: [
    ['clockMegahertz', 1e6],
    ['aicoreFrequencyMegahertz', 1e6],
  ],
  memoryClockHertz: [['memoryClockMegahertz', 1e6]],
  memoryTemperatureCelsius: [
    ['memoryTemperatureCelsius', 1],
    ['temperatureMemoryCelsius', 1],
    ['memoryCelsius', 1],
  ],
  memoryUtilizationRatio: [['memoryUtilizationRatio', 1]],
  fanRatio: [['fanRatio', 1]],
  eccErrorsCorrected: [['eccErrorsCorrected', 1]],
  pcieReceiveBytesPerSecond: [['pcieReceiveBytesPerSecond', 1]],
  pcieTransmitBytesPerSecond: [['pcieTransmitBytesPerSecond', 1]],
}

/** Names the readings that a driver shows among its own facts as the metric catalogue does. */
export function withSensors(chip: ChipFacts): ChipFacts {
  const named = Object.entries(SENSORS).flatMap(([metric, sources]) => {
    const known = sources.find(([name]) => typeof chip.extra[name] === 'number')
    return known === undefined ? [] : [[metric, Number(chip.extra[known[0]]) * known[1]] as const]
  })
  return named.length === 0 ? chip : { ...chip, sensors: { ...Object.fromEntries(named), ...chip.sensors } }
}
