import type { ChipFacts } from '@medley/fleet/protocol'
import { describeFixtures, describeSamples, type Expected, mib } from '../fixtures/sample-table.ts'
import { createAscendDriver } from './driver.ts'

const at = (bus: string): string => `0000:${bus}:00.0`

/** A chip of a listing: number, card, chip, place, degrees, watts, memory in MiB. */
function chip(
  [index, npu, chipOnCard]: readonly [number, number, number],
  bus: string,
  temperatureCelsius: number,
  powerWatts: number | null,
  [used, total]: readonly [number, number],
  more: Partial<ChipFacts> = {},
): Partial<ChipFacts> {
  return {
    index,
    cardKey: `npu-${npu}`,
    chipOnCard,
    pciAddress: at(bus),
    temperatureCelsius,
    powerWatts,
    memoryUsedBytes: mib(used),
    memoryTotalBytes: mib(total),
    utilizationRatio: 0,
    health: 'healthy',
    ...more,
  }
}

const single = (npu: number, ...rest: Parameters<typeof chip> extends [unknown, ...infer R] ? R : never) =>
  chip([npu, npu, 0], ...rest)

const warning: Partial<ChipFacts> = {
  health: 'degraded',
  healthReasons: [{ code: 'health-reported', params: { tool: 'npu-smi', value: 'Warning' } }],
}
const info = 'npu-smi info'
const mapped = (npu: number, chipOnCard: number, logicId: number, product: string): Partial<ChipFacts> => ({
  index: logicId,
  cardKey: `npu-${npu}`,
  chipOnCard,
  product,
  health: 'unknown',
})
const eight: Expected = {
  command: 'npu-smi info -m',
  chips: [0, 1, 2, 3, 4, 5, 6, 7].map((npu) => mapped(npu, 0, npu, 'Ascend 910A')),
}
const uuids = [
  'E0F4EE64 802061B1 6A691492 89528485 104301E3',
  'E281A66C 140C979 2CFBED72 A4500485 104301E3',
  '7281A664 1003374 3444AB72 99D00485 104301E3',
  '687DA66C 100D2DF 1915AB72 99D00485 104301E3',
  'D0DBA664 12066DD 27A93572 86D28485 104301E3',
  '3281A664 1404B1E 1AC3572 86D28485 104301E3',
  '7281A664 1207247 20B9E972 99D00485 104301E3',
  '785BA664 C0D378 3411B572 86D28485 104301E3',
]

describeSamples(createAscendDriver, [/^huawei\//, /^synthetic\/huawei/], {
  'huawei/ascend-driver-version.info.txt': {
    command: 'cat /usr/local/Ascend/driver/version.info',
    facts: { driverVersion: '25.3.rc1' },
  },
  'huawei/ascend-toolkit-version.cfg.txt': {
    command: 'cat /usr/local/Ascend/driver/version.info',
    facts: { package: 'Ascend-cann-toolkit', toolkitVersion: '8.3.RC1' },
  },
  'huawei/gpustack-detect_output_ascend_910b2.json': {
    command: 'gpustack-runtime detect --format json',
    chips: (
      [
        ['c1', 3432, 47, 101.3, 6],
        ['01', 3427, 45, 101, 0],
        ['c2', 3420, 45, 96.2, 6],
        ['02', 3421, 47, 97.3, 0],
        ['81', 3421, 44, 95, 4],
        ['41', 3420, 47, 102.6, 2],
        ['82', 3419, 45, 102.3, 4],
        ['42', 3426, 47, 99.9, 2],
      ] as const
    ).map(([bus, used, celsius, watts, numaNode], index) => ({
      index,
      uuid: uuids[index] ?? '',
      product: '910B2',
      pciAddress: at(bus),
      memoryUsedBytes: mib(used),
      memoryTotalBytes: mib(65536),
      temperatureCelsius: celsius,
      powerWatts: watts,
      numaNode,
      driverVersion: '25.5.1',
      computeUnits: 24,
      health: 'healthy',
    })),
  },
  'huawei/gpustack-topology_output_ascend_910b2.json': {
    command: 'gpustack-runtime topology --format json',
    facts: { numaAffinities: ['6', '0', '6', '0', '4', '2', '4', '2'] },
  },
  'huawei/hccn_tool-link-ip-mac-gateway.txt': {
    command: 'hccn_tool',
    facts: {
      linkStatus: 'UP',
      ipAddress: '192.168.6.10',
      netmask: '255.255.255.0',
      macAddress: null,
      gateway: '192.168.6.1',
      interface: 'eth0',
    },
  },
  'huawei/npu-smi-fail-dcmi-8005.txt': { command: info, facts: { errorCode: -8005 } },
  'huawei/npu-smi-info-310-20.2.0.txt': {
    command: info,
    chips: (['da', 'dc', 'dd', 'db'] as const).map((bus, index) =>
      chip([index, 215, index], bus, [56, 57, 57, 55][index] ?? 0, 12.8, [2703, 8192], {
        product: '310',
        driverVersion: '20.2.0',
      }),
    ),
  },
  'huawei/npu-smi-info-310p3-25.5.1.txt': {
    command: info,
    chips: (
      [
        [0, 1, 0, '01', 49, 1448, 44278],
        [1, 1, 1, '01', 45, 1511, 43693],
        [2, 2, 0, '02', 46, 1384, 44278],
        [3, 2, 1, '02', 46, 1572, 43693],
        [4, 4, 0, '81', 47, 1863, 44278],
        [5, 4, 1, '81', 48, 1105, 43693],
        [6, 5, 0, '82', 48, 1694, 44278],
        [7, 5, 1, '82', 46, 1269, 43693],
      ] as const
    ).map(([index, npu, die, bus, celsius, used, total]) =>
      chip([index, npu, die], bus, celsius, null, [used, total], { product: '310P3', cardPowerWatts: null }),
    ),
  },
  'huawei/npu-smi-info-910a-22.0.3.txt': {
    command: info,
    chips: [
      single(0, '61', 43, 67.2, [0, 32768], { product: '910A', cardPowerWatts: 67.2 }),
      single(1, 'db', 38, 63.3, [0, 32768]),
      single(2, 'b2', 34, 64.8, [0, 32768]),
      single(3, '3e', 42, 191.7, [0, 32768]),
      single(4, '60', 44, 66.4, [0, 32768]),
      single(5, 'da', 33, 62.7, [0, 32768]),
      single(6, 'b1', 35, 64.5, [0, 32768]),
      single(7, '3d', 40, 191.4, [0, 32768], { driverVersion: '22.0.3.1' }),
    ],
  },
  'huawei/npu-smi-info-910a-24.1rc2-warning.txt': {
    command: info,
    chips: [
      single(0, 'c1', 42, 70.5, [0, 32768], { product: '', driverVersion: '24.1.RC2' }),
      single(1, '81', 36, 71.2, [0, 32768]),
      single(2, '41', 35, 69, [0, 32768]),
      single(3, '01', 39, 206.9, [0, 32768], warning),
      single(4, 'c2', 39, 70.2, [0, 32768]),
      single(5, '82', 37, 64.9, [0, 32768]),
      single(6, '42', 40, 69.4, [0, 32768]),
      single(7, '02', 42, 203.2, [0, 32768], warning),
    ],
  },
  'huawei/npu-smi-info-910b1-25.3rc1.txt': {
    command: info,
    chips: [
      single(3, '81', 47, 97.8, [3453, 65536], { product: '910B1', driverVersion: '25.3.rc1' }),
      single(5, '42', 51, 99.5, [3453, 65536]),
      single(4, '02', 49, 98.3, [3453, 65536]),
    ],
  },
  'huawei/npu-smi-info-910b2c-23.0.3.txt': {
    command: info,
    chips: [single(0, '5a', 53, 89.9, [3317, 65536], { product: '910B2C' }), single(1, '29', 53, 93.8, [3316, 65536])],
  },
  'huawei/npu-smi-info-910b4-partial-fleet.txt': {
    command: info,
    chips: [
      single(1, 'c2', 31, 79.2, [2871, 32768], { product: '910B4', driverVersion: null }),
      single(2, '81', 31, 82.2, [2869, 32768]),
      single(5, '02', 33, 84, [2861, 32768]),
      single(6, '41', 34, 79.5, [2859, 32768]),
      single(7, '42', 34, 78.8, [2862, 32768]),
    ],
  },
  'huawei/npu-smi-info-910c-warning.txt': {
    command: info,
    chips: [
      chip([0, 0, 0], '9d', 32, 161.9, [3101, 65536], { product: 'Ascend910', cardPowerWatts: 161.9 }),
      chip([1, 0, 1], '9f', 32, null, [2887, 65536], { cardPowerWatts: 161.9, ...warning }),
      chip([2, 1, 0], '99', 32, 164.2, [3101, 65536], { cardPowerWatts: 164.2 }),
      chip([3, 1, 1], '9b', 32, null, [2887, 65536], { cardPowerWatts: 164.2 }),
    ],
  },
  'huawei/npu-smi-info-m-310-20.2.0.txt': {
    command: 'npu-smi info -m',
    chips: [0, 1, 2, 3].map((number) => mapped(215, number, number, 'MiniD')),
  },
  'huawei/npu-smi-info-m-310-21.0.4.txt': {
    command: 'npu-smi info -m',
    chips: [0, 1, 2, 3].map((number) => mapped(6, number, number, 'MiniD')),
  },
  'huawei/npu-smi-info-m-910a-22.0.3.txt': eight,
  'huawei/npu-smi-info-m-910a-24.1rc2-warning.txt': eight,
  'huawei/npu-smi-info-power-NA-22.0.3.txt': {
    command: info,
    chips: [chip([0, 4, 0], '81', 43, null, [861, 21534], { product: '910A', cardPowerWatts: null })],
  },
  'huawei/npu-smi-info-t-board-310p.txt': {
    command: 'npu-smi info -t board',
    chips: [
      {
        uuid: '409921D4 2140A100 E54BDDD4 07CC040A 9B00301F',
        cardKey: 'npu-1',
        pciAddress: at('81'),
        firmwareVersion: '7.1.0.4',
        health: 'unknown',
      },
    ],
  },
  'huawei/npu-smi-info-t-board-910.txt': {
    command: 'npu-smi info -t board',
    chips: [
      {
        uuid: '901421D4 02103514 1711E613 6DA7040A 00102001',
        cardKey: 'npu-0',
        pciAddress: at('81'),
        firmwareVersion: '7.1.0.4.218',
      },
    ],
  },
  'huawei/npu-smi-info-t-common-310p-2chip.txt': {
    command: 'npu-smi info -t common',
    chips: [60, 59].map((temperatureCelsius, chipOnCard) => ({
      cardKey: 'npu-1',
      chipOnCard,
      temperatureCelsius,
      utilizationRatio: 0,
      powerWatts: null,
      cardPowerWatts: 45.2,
    })),
  },
  'huawei/npu-smi-info-t-common-910.txt': {
    command: 'npu-smi info -t common',
    chips: [{ index: 0, temperatureCelsius: 46, utilizationRatio: 0, powerWatts: 69, computeUnits: 32 }],
  },
  'huawei/npu-smi-info-t-topo-910b3.txt': {
    command: 'npu-smi info -t topo',
    facts: {
      links: { NPU0: { NPU0: 'X', NPU1: 'HCCS', NPU7: 'HCCS' }, NPU7: { NPU6: 'HCCS', NPU7: 'X' } },
      cpuAffinity: { NPU0: '144-167', NPU3: '96-119', NPU5: '0-23', NPU7: '48-71' },
    },
  },
  'huawei/npu-smi-info-t-usages-310p-2chip.txt': {
    command: 'npu-smi info -t usages',
    chips: [44280, 43693].map((total, chipOnCard) => ({
      cardKey: 'npu-1',
      chipOnCard,
      memoryTotalBytes: mib(total),
      utilizationRatio: 0,
    })),
  },
  'huawei/npu-smi-info-t-usages-910.txt': {
    command: 'npu-smi info -t usages',
    chips: [{ index: 0, memoryTotalBytes: mib(32768), utilizationRatio: 0 }],
  },
  // Numbers of processes where names and states should be: nothing that a chip could be read from.
  'synthetic/huawei-npu-smi-info-alarm-codes-25.5.2.txt': { command: info, unreadable: true },
  'synthetic/huawei-npu-smi-info-lost-card.txt': {
    command: info,
    chips: [
      single(0, 'c1', 41, 94.2, [3411, 65536], { health: 'degraded' }),
      {
        index: 1,
        pciAddress: at('01'),
        memoryTotalBytes: null,
        temperatureCelsius: null,
        powerWatts: null,
        utilizationRatio: null,
        health: 'unusable',
      },
      { index: 2, pciAddress: null, memoryTotalBytes: null, health: 'unknown' },
    ],
  },
})

describeFixtures(createAscendDriver, {
  'info-two-dies.txt': {
    command: info,
    chips: [
      chip([4, 2, 0], '11', 38, 171.3, [40960, 65536], { utilizationRatio: 0.55, cardPowerWatts: 171.3 }),
      chip([5, 2, 1], '12', 39, null, [2048, 65536], { health: 'degraded', cardPowerWatts: 171.3 }),
    ],
  },
  'mapping-physical.txt': {
    command: 'npu-smi info -m',
    chips: [mapped(2, 0, 4, 'Ascend910'), mapped(2, 1, 5, 'Ascend910')],
  },
  'board.txt': {
    command: 'npu-smi info -t board',
    chips: [{ uuid: '0A0B0C0D 11112222 33334444 55556666 77778888', chipOnCard: 1, pciAddress: at('12') }],
  },
  'usages.txt': {
    command: 'npu-smi info -t usages',
    chips: [0.55, 0.07].map((utilizationRatio, chipOnCard) => ({ chipOnCard, utilizationRatio })),
  },
  'processes-only.txt': { command: null, unreadable: true },
  'failure.txt': { command: info, facts: { errorCode: -8005 } },
})
