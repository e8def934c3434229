import type { ChipFacts } from '@medley/fleet/protocol'
import { describeFixtures, describeSamples, mib } from '../fixtures/sample-table.ts'
import { createHygonDriver } from './driver.ts'

const json = 'hy-smi --json'

/** Rows of the table: degrees, watts, busy percent; the limit and the share of memory in use are further facts. */
const rows = (
  limit: number,
  figures: readonly (readonly [celsius: number, watts: number, busy: number])[],
): Partial<ChipFacts>[] =>
  figures.map(([temperatureCelsius, powerWatts, busy], index) => ({
    index,
    temperatureCelsius,
    powerWatts,
    utilizationRatio: busy / 100,
    memoryTotalBytes: null,
    pciAddress: null,
    health: 'healthy',
    extra: expectLimit(limit),
  }))

/** `toMatchObject` looks only at what is named. */
const expectLimit = (limit: number): ChipFacts['extra'] => ({ powerLimitWatts: limit })

describeSamples(createHygonDriver, [/^hygon\/(?!lspci)/], {
  'hygon/hy-smi-errors.txt': {
    command: 'hy-smi',
    facts: { error: 'No device available, no device found or initialization failed' },
  },
  'hygon/hy-smi-json-24.04.3.json': {
    command: json,
    chips: [
      {
        index: 0,
        product: 'DCU xxxx',
        uuid: '7100fa8866904061',
        serial: 'TPXxxxx',
        powerWatts: 80,
        temperatureCelsius: 39,
        utilizationRatio: 0,
        memoryTotalBytes: mib(65520),
        memoryUsedBytes: mib(2),
        health: 'healthy',
      },
    ],
  },
  'hygon/hy-smi-json-basic-maxpower.json': {
    command: json,
    chips: [
      {
        index: 0,
        serial: 'TRCW390010030401',
        pciAddress: '0000:06:00.0',
        memoryTotalBytes: mib(65536),
        memoryUsedBytes: null,
        powerWatts: null,
        extra: expectLimit(300),
      },
    ],
  },
  'hygon/hy-smi-json-bus-sn-suffix.json': {
    command: json,
    chips: [
      {
        index: 0,
        pciAddress: '0000:06:00.0',
        powerWatts: 108,
        temperatureCelsius: 70,
        utilizationRatio: 0.03,
        memoryTotalBytes: null,
      },
    ],
  },
  'hygon/hy-smi-json-k100ai-dtk2504.json': {
    command: json,
    chips: [
      {
        index: 0,
        product: 'K100_AI',
        uuid: 'a000000000000000',
        serial: 'TRCW200000000000',
        powerWatts: 77,
        temperatureCelsius: 35,
        utilizationRatio: 0,
        memoryTotalBytes: mib(65520),
        memoryUsedBytes: mib(2),
      },
    ],
  },
  'hygon/hy-smi-showmeminfo-vram-old-bytes.txt': {
    command: 'hy-smi --showmeminfo vram',
    chips: [
      { index: 0, memoryTotalBytes: 34342961152, health: 'unknown' },
      { index: 1, memoryTotalBytes: 34342961152, health: 'unknown' },
    ],
  },
  'hygon/hy-smi-showmeminfo-vram.txt': {
    command: 'hy-smi --showmeminfo vram',
    chips: [
      { index: 0, memoryTotalBytes: mib(65520), memoryUsedBytes: mib(2) },
      { index: 1, memoryTotalBytes: mib(65520), memoryUsedBytes: null },
      { index: 7, memoryTotalBytes: mib(65520), memoryUsedBytes: null },
    ],
  },
  'hygon/hy-smi-table-dcu-load.txt': {
    command: 'hy-smi',
    chips: rows(600, [
      [67, 8, 74],
      [68, 8, 29],
      [69, 8, 31],
      [68, 8, 28],
      [71, 8, 35],
      [73, 8, 17],
      [70, 8, 37],
      [68, 8, 46],
    ]),
  },
  'hygon/hy-smi-table-hcu-dec-enc-bw1000.txt': {
    command: 'hy-smi',
    chips: rows(800, [
      [43, 131, 0],
      [42, 134, 0],
      [37, 131, 0],
      [37, 133, 0],
      [43, 133, 0],
      [42, 135, 0],
      [38, 133, 0],
    ]),
  },
  'hygon/hy-smi-table-hcu-k100ai.txt': {
    command: 'hy-smi',
    chips: rows(400, [
      [62, 111, 0],
      [65, 110, 0],
      [67, 106, 0],
      [65, 111, 0],
      [59, 109, 0],
      [60, 107, 0],
      [58, 106, 0],
      [57, 109, 0],
    ]),
  },
  'hygon/hy-smi-table-mode-NA.txt': { command: 'hy-smi', chips: rows(300, [[51, 29, 0]]) },
  'hygon/hy-smi-table-z100-280w.txt': {
    command: 'hy-smi',
    chips: rows(280, [
      [42, 39, 0],
      [41, 39, 0],
      [41, 36, 0],
      [40, 38, 0],
      [40, 39, 0],
      [41, 41, 0],
      [42, 37, 0],
      [41, 36, 0],
    ]),
  },
  'hygon/rocminfo-24.04.3.txt': {
    command: 'rocminfo',
    facts: {
      agents: [
        { name: 'Hygon C86 7390 32-core Processor', type: 'CPU' },
        { name: 'gfx928', type: 'DCU' },
      ],
    },
    chips: [
      {
        uuid: 'GPU-7100fa8866904061',
        product: 'K1xx_AI',
        memoryTotalBytes: 67092480 * 1024,
        features: ['gfx928'],
        health: 'unknown',
      },
    ],
  },
})

describeFixtures(createHygonDriver, {
  'table-reordered.txt': {
    command: 'hy-smi',
    chips: [{ index: 2, temperatureCelsius: 55, powerWatts: 210, utilizationRatio: 0.125, extra: expectLimit(400) }],
  },
  'stray-commas.txt': {
    command: json,
    chips: [
      {
        index: 3,
        uuid: '0badcafe00000001',
        pciAddress: '0000:45:00.0',
        powerWatts: null,
        utilizationRatio: 0.99,
        memoryUsedBytes: mib(60000),
      },
    ],
  },
  'no-device.txt': {
    command: 'hy-smi',
    facts: { error: 'No device available, no device found or initialization failed' },
  },
})
