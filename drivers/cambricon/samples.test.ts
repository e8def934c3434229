import type { ChipFacts } from '@medley/fleet/protocol'
import { describeFixtures, describeSamples, mib } from '../fixtures/sample-table.ts'
import { createCambriconDriver } from './driver.ts'

/** A card of the table: number, product, degrees, watts, memory in MiB, all idle. */
function card(
  index: number,
  product: string,
  temperatureCelsius: number,
  powerWatts: number,
  total: number | null,
  more: Partial<ChipFacts> = {},
): Partial<ChipFacts> {
  return {
    index,
    product,
    temperatureCelsius,
    powerWatts,
    cardPowerWatts: powerWatts,
    memoryTotalBytes: total === null ? null : mib(total),
    memoryUsedBytes: total === null ? null : 0,
    utilizationRatio: 0,
    firmwareVersion: 'v1.1.6',
    health: 'healthy',
    ...more,
  }
}

const at = (bus: string): Partial<ChipFacts> => ({ pciAddress: `0000:${bus}:00.0` })
const board = (bus: string, chipOnCard: number): Partial<ChipFacts> => ({
  cardKey: `cambricon-pair-0000:${bus}:00.0`,
  chipOnCard,
})

describeSamples(createCambriconDriver, [/^cambricon\//, /^synthetic\/cambricon/], {
  'cambricon/cnmon-mlu370x4-4.20.11.txt': {
    command: 'cnmon',
    facts: { toolVersion: 'v4.20.11' },
    chips: [
      card(0, 'MLU370-X4', 32, 30, 23308, { pciAddress: null, driverVersion: 'v4.20.11' }),
      card(1, 'MLU370-X4', 33, 25, 23308),
      // Cut off before its memory.
      card(2, 'MLU370-X4', 30, 26, null),
    ],
  },
  'cambricon/cnmon-mlu370x4-5.10.10.txt': {
    command: 'cnmon',
    chips: [
      card(0, 'MLU370-X4', 41, 27, 23308, { ...at('1b'), driverVersion: 'v5.10.10', eccErrorsUncorrected: null }),
      card(1, 'MLU370-X4', 41, 27, 23308, { ...at('36'), chipOnCard: 0 }),
    ],
  },
  'cambricon/cnmon-mlu370x8-5.10.13.txt': {
    command: 'cnmon',
    chips: [
      card(0, 'MLU370-X8', 32, 106, 23374, { ...at('39'), ...board('39', 0) }),
      card(1, 'MLU370-X8', 39, 106, 23374, { ...at('3d'), ...board('39', 1), driverVersion: 'v5.10.13' }),
    ],
  },
  'cambricon/cnmon-mlu370x8-5.10.22-full.txt': {
    command: 'cnmon',
    chips: [
      card(0, 'MLU370-X8', 28, 107, 20638, { ...at('13'), ...board('13', 0), eccErrorsUncorrected: 0 }),
      card(1, 'MLU370-X8', 32, 107, 20638, { ...at('16'), ...board('13', 1), eccErrorsUncorrected: 0 }),
    ],
  },
  'cambricon/cnmon-mlu590-m9dg-facts.txt': {
    command: 'cnmon (summary)',
    facts: { toolVersion: 'v6.5.26', toolkitVersion: '4.6.2' },
    chips: [
      {
        product: 'MLU590-M9DG',
        ...at('63'),
        firmwareVersion: 'v1.1.1',
        driverVersion: 'v6.5.26',
        memoryUsedBytes: 0,
        memoryTotalBytes: mib(81920),
        utilizationRatio: 0,
      },
    ],
  },
  'synthetic/cambricon-cnmon_info-j-keys.json': {
    command: 'cnmon info -j',
    chips: [
      {
        index: 0,
        product: 'MLU370-X4',
        uuid: 'CARD-UUID-PLACEHOLDER',
        ...at('1b'),
        temperatureCelsius: 41,
        utilizationRatio: 0,
        memoryTotalBytes: mib(23308),
        memoryUsedBytes: 0,
        powerWatts: null,
        health: 'healthy',
      },
    ],
  },
  'synthetic/cambricon-cnmon_info-text-e-m-p-u.txt': {
    command: 'cnmon info',
    chips: [card(0, 'MLU370-X4', 41, 27, 23308, { driverVersion: 'v5.10.22', firmwareVersion: null })],
  },
})

describeFixtures(createCambriconDriver, {
  'table-faulty.txt': {
    command: 'cnmon',
    chips: [
      {
        index: 0,
        product: 'MLU590-X',
        ...at('21'),
        temperatureCelsius: 61,
        powerWatts: 402,
        memoryUsedBytes: mib(70000),
        utilizationRatio: 0.83,
        health: 'degraded',
      },
      { index: 3, ...at('a1'), temperatureCelsius: null, powerWatts: null, memoryTotalBytes: null, health: 'unknown' },
    ],
  },
  'info.json': {
    command: 'cnmon info -j',
    chips: [
      { index: 1, uuid: '7e01', ...at('3c'), temperatureCelsius: 50, utilizationRatio: 0.25, health: 'degraded' },
    ],
  },
  'info.txt': {
    command: 'cnmon info',
    chips: [{ index: 5, uuid: '7e05', temperatureCelsius: 52, powerWatts: 33, memoryUsedBytes: mib(1024) }],
  },
})
