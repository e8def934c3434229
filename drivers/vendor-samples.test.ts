import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { createDrivers } from './index.ts'
import { parseSavedOutput } from './saved-output.ts'

/** Real output of vendors' tools, kept beside the repository: other people's text, so not part of it. */
const SAMPLES = fileURLToPath(new URL('../../shared/facts/chips/samples', import.meta.url))
const present = existsSync(SAMPLES)
if (!present) console.warn(`SKIPPED: no vendor samples at ${SAMPLES}; only our own fixtures are tested`)

const MIB = 2 ** 20
const GIB = 2 ** 30

interface Expected {
  readonly vendor: string
  readonly file: string
  readonly command: string
  /** What a person reads from the sample, by the number of the chip in the file. */
  readonly chips: readonly Record<string, unknown>[]
  /** How many chips there are, where the table above does not show them all. */
  readonly count?: number
  readonly facts?: Record<string, unknown>
}

const EXPECTED: readonly Expected[] = [
  {
    vendor: 'metax',
    file: 'metax/ht-smi-marsx201-2.3.1.txt',
    command: 'mx-smi',
    facts: { toolVersion: '2.3.1', driverVersion: '3.8.1', runtimeVersion: '3.7.1.5', attached: 1 },
    chips: [
      {
        index: 0,
        product: 'Mars X201',
        uuid: null,
        pciAddress: '0000:98:00.0',
        memoryUsedBytes: 858 * MIB,
        memoryTotalBytes: 64 * GIB,
        utilizationRatio: 0,
        temperatureCelsius: 44,
        powerWatts: 38,
        health: 'healthy',
        driverVersion: '3.8.1',
        firmwareVersion: '1.31.1.0',
      },
    ],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-L-fault.txt',
    command: 'mx-smi -L',
    chips: [
      { index: 0, product: 'MXC550', uuid: 'GPU-abc', pciAddress: null, health: 'healthy', powerWatts: null },
      { index: 1, product: 'MXC550', uuid: null, health: 'unusable', memoryTotalBytes: null },
    ],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-L.txt',
    command: 'mx-smi -L',
    chips: [{ index: 0, product: 'MXC550', uuid: 'GPU-abc-123', pciAddress: '0000:2b:00.0', health: 'healthy' }],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-c550-2.1.12-pod.txt',
    command: 'mx-smi',
    facts: { driverVersion: '2.12.13', biosVersion: '1.13.4.0' },
    chips: [
      {
        index: 0,
        product: 'MetaX C550',
        pciAddress: '0000:2a:00.0',
        temperatureCelsius: 34,
        powerWatts: 97,
        memoryUsedBytes: 858 * MIB,
        memoryTotalBytes: 64 * GIB,
        health: 'healthy',
        extra: { powerLimitWatts: null },
      },
    ],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-c550-2.2.4.txt',
    command: 'mx-smi',
    facts: { toolVersion: '2.2.4', attached: 8 },
    chips: [
      {
        index: 0,
        product: 'MetaX C550',
        pciAddress: '0000:0f:00.0',
        temperatureCelsius: 29,
        powerWatts: 53,
        utilizationRatio: 0,
        driverVersion: '2.15.9',
        extra: { powerLimitWatts: 450, state: 'Available' },
      },
    ],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-mxc500-2.1.6.txt',
    command: 'mx-smi',
    chips: [
      {
        index: 0,
        product: 'MXC500',
        pciAddress: '0000:05:00.0',
        temperatureCelsius: 51,
        powerWatts: 71,
        memoryUsedBytes: 60_982 * MIB,
        memoryTotalBytes: 64 * GIB,
        driverVersion: '2.5.014',
      },
    ],
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-topo-m.txt',
    command: 'mx-smi topo -m',
    chips: [],
    facts: {
      topology: {
        links: { GPU0: { GPU0: 'X', GPU3: 'MX', GPU4: 'NODE' }, GPU5: { GPU0: 'NODE', GPU4: 'MX' } },
        affinities: { GPU0: { 'Node Affinity': '0', 'CPU Affinity': '0-31,64-95' } },
      },
    },
  },
  {
    vendor: 'metax',
    file: 'metax/mx-smi-topo-m-noaffinity.txt',
    command: 'mx-smi topo -m',
    chips: [],
    facts: { topology: { links: { GPU0: { GPU1: 'MX', GPU7: 'SYS' }, GPU7: { GPU4: 'MX', GPU7: 'X' } } } },
  },
  {
    vendor: 'enflame',
    file: 'enflame/efsmi-dmon-s60.txt',
    command: 'efsmi -dmon',
    count: 7,
    chips: [
      {
        index: 0,
        product: null,
        powerWatts: 101,
        temperatureCelsius: 36,
        utilizationRatio: 0,
        memoryTotalBytes: 42_976 * MIB,
        memoryUsedBytes: Math.round(42_976 * MIB * 0.841),
      },
      { index: 1, powerWatts: 98, temperatureCelsius: 37 },
      { index: 2, powerWatts: 101 },
      { index: 3, temperatureCelsius: 37 },
      { index: 4, temperatureCelsius: 37 },
      { index: 5, powerWatts: 100, temperatureCelsius: 34 },
      { index: 6, powerWatts: 100 },
    ],
  },
  {
    vendor: 'enflame',
    file: 'enflame/efsmi-q-s60-1.2.4-old.txt',
    command: 'efsmi -q',
    chips: [
      {
        index: 7,
        uuid: 'TR1V57100501',
        serial: 'C0AAD40510049',
        product: 'S60',
        pciAddress: '0000:b1:00.0',
        memoryTotalBytes: 42_976 * MIB,
        memoryUsedBytes: 1_129 * MIB,
        powerWatts: 102,
        temperatureCelsius: 41,
        utilizationRatio: 0,
        eccErrorsUncorrected: 0,
        driverVersion: '1.2.4.12',
        health: 'healthy',
        extra: { powerLimitWatts: 300, pcieWidth: 16, pcieWidthMax: 16 },
      },
    ],
  },
  {
    vendor: 'enflame',
    file: 'enflame/efsmi-q-s60-1.4.3-new.txt',
    command: 'efsmi -q',
    chips: [
      {
        index: 0,
        uuid: 'TPUH74190604',
        serial: 'C0AA640520685',
        pciAddress: '0000:00:0c.0',
        memoryTotalBytes: 42_976 * MIB,
        memoryUsedBytes: 0,
        powerWatts: 104,
        temperatureCelsius: 45,
        driverVersion: '1.4.3.4',
        health: 'healthy',
        extra: { memoryReservedBytes: 1_129 * MIB, errorRecords: 0 },
      },
    ],
  },
  {
    vendor: 'enflame',
    file: 'enflame/efsmi-s60-1.2.0.txt',
    command: 'efsmi',
    facts: { driverVersion: '1.2.0.301' },
    chips: [
      {
        index: 0,
        product: 'S60',
        pciAddress: '0000:01:00.0',
        serial: 'A073640510015',
        memoryTotalBytes: 49_120 * MIB,
        memoryUsedBytes: null,
        temperatureCelsius: 39,
        powerWatts: 105,
        utilizationRatio: 0,
        firmwareVersion: '33.6.2',
        extra: { powerLimitWatts: 300 },
      },
    ],
  },
  {
    vendor: 'enflame',
    file: 'enflame/efsmi-s60g-1.6.3-vf.txt',
    command: 'efsmi',
    chips: [
      {
        index: 0,
        product: 'Enflame S60G',
        pciAddress: '0000:2e:00.0',
        serial: 'A018K30520031',
        memoryTotalBytes: 23_552 * MIB,
        temperatureCelsius: 34,
        powerWatts: null,
        cardPowerWatts: null,
        driverVersion: '1.6.3.12',
        extra: { virtualization: 'SRIOV' },
      },
    ],
  },
  {
    vendor: 'vastai',
    file: 'vastai/vasmi-pmon-csv.txt',
    command: 'vasmi pmon --outputformat=csv',
    chips: [
      {
        index: 0,
        chipOnCard: 0,
        pciAddress: '0000:18:00.0',
        product: null,
        memoryTotalBytes: null,
        memoryUsedBytes: Math.round(61.68 * MIB),
        utilizationRatio: 0,
        powerWatts: null,
      },
    ],
  },
  {
    vendor: 'tsingmicro',
    file: 'tsingmicro/tsm_smi-row.txt',
    command: 'tsm_smi',
    chips: [
      {
        index: 0,
        product: 'TX8110-64GB-PCIe',
        pciAddress: '0000:82:00.0',
        temperatureCelsius: 42,
        powerWatts: 96,
        memoryUsedBytes: 15_146 * MIB,
        memoryTotalBytes: 64 * GIB,
        utilizationRatio: 0,
        extra: { powerLimitWatts: 200 },
      },
    ],
  },
  {
    vendor: 'gaudi',
    file: 'intel-gaudi/hl-smi-gaudi2-1.15.txt',
    command: 'hl-smi',
    facts: { driverVersion: '1.15.0-c43dc7b', toolVersion: 'hl-1.14.0-fw-48.0.1.0' },
    chips: [
      {
        index: 0,
        product: 'HL-225',
        pciAddress: '0000:09:00.0',
        memoryUsedBytes: 768 * MIB,
        memoryTotalBytes: 96 * GIB,
        temperatureCelsius: 26,
        powerWatts: 87,
        utilizationRatio: 0,
        eccErrorsUncorrected: 0,
        extra: { powerLimitWatts: 600 },
      },
      { index: 1, pciAddress: '0000:08:00.0', temperatureCelsius: 28, powerWatts: 99 },
    ],
  },
  {
    vendor: 'gaudi',
    file: 'intel-gaudi/hl-smi-query-csv.txt',
    command: 'hl-smi -Q',
    chips: [
      {
        index: 0,
        uuid: '01P4-HL3090A0-18-U4V193-22-07-00',
        product: 'HL-325L',
        driverVersion: '1.22.1-97ec1a4',
        memoryTotalBytes: 128 * GIB,
        memoryUsedBytes: 672 * MIB,
        powerWatts: 226,
        temperatureCelsius: 36,
        utilizationRatio: 0,
        extra: { powerLimitWatts: 850 },
      },
      { index: 1, uuid: '01P4-HL3090A0-18-U4V298-03-04-04', powerWatts: 230, temperatureCelsius: 39 },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/gpustack-detect-ppu-zw810e.json',
    command: 'gpustack-runtime detect --format json',
    count: 16,
    chips: [
      {
        index: 0,
        uuid: 'GPU-019e2226-4211-0208-0000-000000ab261d',
        product: 'PPU-ZW810E',
        pciAddress: '0000:a8:00.0',
        numaNode: 4,
        memoryTotalBytes: 96 * GIB,
        memoryUsedBytes: 91_349 * MIB,
        temperatureCelsius: 34,
        powerWatts: 93,
        extra: { powerLimitWatts: 400, minor: 1 },
      },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/gpustack-topology_output_thead_ppu.json',
    command: 'gpustack-runtime topology --format json',
    chips: [],
    facts: { numaAffinities: expect.arrayContaining(['4', '2', '6', '0']) },
  },
  {
    vendor: 'thead',
    file: 'thead/ppu-smi-L.txt',
    command: 'ppu-smi -L',
    chips: [
      { index: 0, product: 'PPU-ZW810E', uuid: 'GPU-019ea108-c110-0828-0000-0000c07e1a46' },
      { index: 1, product: 'PPU', uuid: 'GPU-019ea108-c120-040c-0000-0000c0267f1e' },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/ppu-smi-dmon.txt',
    command: 'ppu-smi dmon -c 1',
    count: 6,
    chips: [
      { index: 0, powerWatts: 147, temperatureCelsius: 35, utilizationRatio: 0, memoryUsedBytes: null },
      { index: 1, temperatureCelsius: 37 },
      { index: 2, powerWatts: 267, temperatureCelsius: 44, utilizationRatio: 1, extra: { memoryUsedRatio: 0.95 } },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/ppu-smi-query-csv.txt',
    command: 'ppu-smi --query-ppu',
    chips: [
      {
        index: 0,
        product: 'PPU-ZW810E',
        uuid: 'GPU-019e2226-4211-0208-0000-000000ab261d',
        pciAddress: '0000:a8:00.0',
        memoryTotalBytes: 96 * GIB,
      },
      { index: 1, pciAddress: '0000:a7:00.0', memoryTotalBytes: 96 * GIB },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/ppu-smi-query-metrics-noheader.txt',
    command: 'ppu-smi --query-ppu',
    chips: [
      {
        index: null,
        uuid: null,
        pciAddress: '0000:08:00.0',
        serial: '02A8B95253C002B8',
        utilizationRatio: 0,
        temperatureCelsius: 27,
        powerWatts: 83.03,
      },
    ],
  },
  {
    vendor: 'thead',
    file: 'thead/ppu-smi-query-noheader.txt',
    command: 'ppu-smi --query-ppu',
    chips: [
      {
        pciAddress: '0000:08:00.0',
        serial: '02A8B95253C002B8',
        memoryTotalBytes: 96 * GIB,
        powerWatts: null,
        extra: { powerLimitWatts: 400 },
      },
    ],
  },
  {
    vendor: 'amd',
    file: 'amd/gpustack-detect_output_amd_rx7800xt.json',
    command: 'gpustack-runtime detect --format json',
    chips: [
      { index: 0, uuid: 'GPU-5c88007d760374f3', pciAddress: '0000:04:00.0', utilizationRatio: 0.13, powerWatts: 10 },
      { index: 1, uuid: 'GPU-d99e7fe92c7bdf75', pciAddress: '0000:07:00.0', temperatureCelsius: 44 },
    ],
  },
  {
    vendor: 'amd',
    file: 'amd/rocm-smi-rx7800xt-6.2.4.json',
    command: 'rocm-smi --json',
    chips: [
      {
        index: 0,
        uuid: '0x5c88007d760374f3',
        serial: null,
        product: 'Navi 32 [Radeon RX 7700 XT / 7800 XT]',
        memoryTotalBytes: 17_163_091_968,
        memoryUsedBytes: 11_615_076_352,
        utilizationRatio: 1,
        temperatureCelsius: 45,
        powerWatts: 53,
        extra: { temperatureJunctionCelsius: 51, temperatureMemoryCelsius: 54 },
      },
    ],
  },
  {
    vendor: 'amd',
    file: 'amd/rocminfo-6.2.4.txt',
    command: 'rocminfo',
    chips: [
      {
        index: null,
        uuid: 'GPU-5c88007d760374f3',
        product: 'AMD Radeon RX 7800 XT',
        pciAddress: '0000:03:00.0',
        computeUnits: 60,
        memoryTotalBytes: 16_760_832 * 1024,
        features: ['gfx1101'],
      },
    ],
  },
  {
    vendor: 'nvidia',
    file: 'lspci/nvidia-vfio-passthrough.txt',
    command: 'lspci -Dnn',
    chips: [
      { pciAddress: '0000:16:00.0', health: 'unusable', healthReasons: [{ code: 'not-answering', params: {} }] },
      { pciAddress: '0000:27:00.0', health: 'unknown' },
    ],
  },
  {
    vendor: 'nvidia',
    file: 'lspci/aspeed-plus-nvidia.txt',
    command: 'lspci -Dnn',
    chips: [{ pciAddress: '0000:16:00.0', extra: { pciId: '10de:2684' } }],
  },
]

describe.skipIf(!present)('real output, as a person reads it', () => {
  it.each(EXPECTED)('$file', ({ vendor, file, command, chips, count, facts }) => {
    const driver = createDrivers().find(({ name }) => name === vendor)
    if (!driver) throw new Error(`no driver ${vendor}`)
    const text = readFileSync(`${SAMPLES}/${file}`, 'utf8')
    const saved = parseSavedOutput(driver, text)
    expect(saved).toMatchObject({ command, raw: null, facts: facts ?? {} })
    expect(saved.chips).toHaveLength(count ?? chips.length)
    expect(saved.chips.slice(0, chips.length)).toMatchObject(chips)
    for (const chip of driver.parseOutput(text).chips) expect(chipFacts.safeParse(chip).success).toBe(true)
  })
})
