import type { ChipFacts } from '@medley/fleet/protocol'
import { describeFixtures, describeSamples, mib } from '../fixtures/sample-table.ts'
import { createMthreadsDriver } from './driver.ts'

const json = 'mthreads-gmi -q --json'

/** A card of the table, which never tells power: number, product, bus, memory in MiB, degrees. */
function card(
  index: number,
  product: string,
  bus: string,
  [used, total]: readonly [number, number],
  temperatureCelsius: number | null,
  more: Partial<ChipFacts> = {},
): Partial<ChipFacts> {
  return {
    index,
    product,
    pciAddress: `0000:${bus}:00.0`,
    memoryUsedBytes: mib(used),
    memoryTotalBytes: mib(total),
    temperatureCelsius,
    powerWatts: null,
    utilizationRatio: 0,
    health: 'healthy',
    ...more,
  }
}

const narrow = (current: string): Partial<ChipFacts> => ({
  health: 'degraded',
  healthReasons: [{ code: 'link-narrow', params: { current, maximum: '16' } }],
})

describeSamples(createMthreadsDriver, [/^mthreads\//, /^synthetic\/mthreads/], {
  'mthreads/flagperf-monitor-line-s3000.txt': {
    command: 'mthreads-gmi (monitor lines)',
    chips: [
      {
        index: null,
        temperatureCelsius: 45,
        powerWatts: 109.51,
        memoryUsedBytes: mib(1),
        memoryTotalBytes: mib(32768),
      },
      { index: null, temperatureCelsius: 44, powerWatts: 108.95, utilizationRatio: 0 },
    ],
  },
  'mthreads/mthreads-gmi-not-found.txt': { command: 'mthreads-gmi', facts: { toolMissing: true } },
  'mthreads/mthreads-gmi-q-json-s5000-exporter-fixture.json': {
    command: json,
    chips: [
      card(0, 'MTT S5000', '2a', [40960, 81920], 42, {
        uuid: 'test-uuid',
        serial: 'test-serial',
        powerWatts: 400.5,
        utilizationRatio: 0.75,
        driverVersion: '3.3.5-server',
      }),
    ],
  },
  'mthreads/mthreads-gmi-q-json-s5000.json': {
    command: json,
    facts: { attachedGpus: 8 },
    chips: [
      card(0, 'MTT S5000', '2a', [0, 81920], 27, {
        uuid: '399282a8-ba01-1475-893c-2eeca9e302f5',
        serial: 'MY10YL225BF06077',
        powerWatts: 96.66,
        firmwareVersion: '4.3.41',
        driverVersion: '3.3.5-server',
      }),
      {
        index: 1,
        uuid: '5ebdeb63-ba7a-5904-4f16-495b3e1de6c8',
        serial: 'MY10YL225BF06005',
        pciAddress: null,
        temperatureCelsius: 26,
        powerWatts: 97.09,
        memoryTotalBytes: mib(81920),
        health: 'healthy',
      },
    ],
  },
  'mthreads/mthreads-gmi-s3000-vgpu-2.3.4.txt': {
    command: 'mthreads-gmi',
    facts: { toolVersion: '2.3.4' },
    chips: [card(0, 'MTT S3000', '5e', [30094, 32768], 57, { utilizationRatio: 0.58, driverVersion: '2.9.2-000' })],
  },
  'mthreads/mthreads-gmi-s4000-2.2.0.txt': {
    command: 'mthreads-gmi',
    chips: [
      card(0, 'MTT S4000', '08', [0, 49152], 44, { driverVersion: '3.0.0' }),
      card(1, 'MTT S4000', '09', [0, 49152], 44),
      // Cut off in its second line.
      card(2, 'MTT S4000', '0e', [0, 49152], null),
    ],
  },
  'mthreads/mthreads-gmi-s5000-2.3.2.txt': {
    command: 'mthreads-gmi',
    chips: [
      card(0, 'MTT S5000', '2a', [66641, 81920], 52, { driverVersion: '3.3.5-server' }),
      card(1, 'MTT S5000', '3a', [64889, 81920], 51),
      card(2, 'MTT S5000', '4c', [10, 81920], 52),
    ],
  },
  'mthreads/mthreads-gmi-s80-1.14.0.txt': {
    command: 'mthreads-gmi',
    chips: [card(0, 'MTT S80', '04', [2, 16384], 49, { driverVersion: '2.7.0', ...narrow('4') })],
  },
  'mthreads/mthreads-gmi-s80-1.8.2.txt': {
    command: 'mthreads-gmi',
    chips: [card(0, 'MTT S80', '01', [92, 16384], 54, { driverVersion: '2.5.0' })],
  },
  'synthetic/mthreads-mthreads-gmi-q-json-NA.json': {
    command: json,
    chips: [
      {
        index: 0,
        product: 'MTT S4000',
        pciAddress: '0000:08:00.0',
        memoryTotalBytes: null,
        memoryUsedBytes: null,
        utilizationRatio: null,
        temperatureCelsius: null,
        powerWatts: null,
        health: 'unknown',
      },
    ],
  },
})

describeFixtures(createMthreadsDriver, {
  'query.json': {
    command: json,
    chips: [
      card(3, 'MTT S4000', '5a', [1024, 49152], 66, {
        serial: 'SN-3',
        utilizationRatio: 0.41,
        powerWatts: 221.5,
        driverVersion: '3.4.0',
      }),
      { index: 6, memoryTotalBytes: null, health: 'unknown' },
    ],
  },
  'table.txt': {
    command: 'mthreads-gmi',
    chips: [card(3, 'MTT S4000', '5a', [1024, 49152], 66, { utilizationRatio: 0.41, ...narrow('8') })],
  },
})
