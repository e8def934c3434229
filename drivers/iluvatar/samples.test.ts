import { describeFixtures, describeSamples, mib } from '../fixtures/sample-table.ts'
import { createIluvatarDriver } from './driver.ts'

describeSamples(createIluvatarDriver, [/^iluvatar\//], {
  'iluvatar/ixsmi-biv100-3.0.1.txt': {
    command: 'ixsmi',
    facts: { toolVersion: '3.0.1' },
    chips: [
      {
        index: 0,
        product: 'Iluvatar BI-V100',
        pciAddress: '0000:14:00.0',
        temperatureCelsius: 31,
        powerWatts: 54,
        cardPowerWatts: 54,
        memoryUsedBytes: mib(513),
        memoryTotalBytes: mib(32768),
        utilizationRatio: 0,
        driverVersion: '3.0.1',
        health: 'healthy',
      },
      { index: 1, pciAddress: '0000:15:00.0', temperatureCelsius: 31, powerWatts: 56, memoryUsedBytes: mib(513) },
    ],
  },
  'iluvatar/ixsmi-biv150s-4.0.0.txt': {
    command: 'ixsmi',
    facts: { toolVersion: '4.0.0' },
    chips: [
      {
        index: 0,
        product: 'Iluvatar BI-V150S',
        pciAddress: '0000:8a:00.0',
        temperatureCelsius: 33,
        powerWatts: null,
        cardPowerWatts: null,
        memoryUsedBytes: mib(114),
        memoryTotalBytes: mib(32768),
        utilizationRatio: 0,
        driverVersion: '4.1.0',
      },
    ],
  },
  'iluvatar/ixsmi-biv150s-4.x.txt': {
    command: 'ixsmi',
    chips: [
      {
        index: 0,
        cardKey: 'iluvatar-pair-0000:26:00.0',
        chipOnCard: 0,
        pciAddress: '0000:26:00.0',
        temperatureCelsius: 35,
        powerWatts: null,
        cardPowerWatts: 53,
        memoryUsedBytes: mib(68),
      },
      {
        index: 1,
        cardKey: 'iluvatar-pair-0000:26:00.0',
        chipOnCard: 1,
        pciAddress: '0000:29:00.0',
        temperatureCelsius: 33,
        powerWatts: 53,
        cardPowerWatts: 53,
        memoryTotalBytes: mib(32768),
      },
    ],
  },
  'iluvatar/ixsmi-q-facts-mrv100.txt': {
    command: 'ixsmi -q',
    facts: { toolVersion: '4.4.0' },
    chips: [
      {
        index: null,
        product: 'Iluvatar MR-V100',
        serial: '23230261115496',
        uuid: 'GPU-75401a56-2224-5257-8e2c-8f6dac7c37bc',
        pciAddress: '0000:15:00.0',
        firmwareVersion: '2.0.17',
        driverVersion: '4.4.0',
        health: 'unknown',
      },
    ],
  },
  'iluvatar/ixsmi-query-csv-noheader.txt': {
    command: 'ixsmi --query-gpu',
    chips: [
      {
        index: 0,
        product: 'Iluvatar MR-V50',
        memoryTotalBytes: mib(16384),
        memoryUsedBytes: mib(116),
        utilizationRatio: 0,
        temperatureCelsius: 30,
        powerWatts: null,
      },
      { index: 1, product: 'Iluvatar MR-V100', memoryTotalBytes: mib(32768), memoryUsedBytes: mib(27996) },
    ],
  },
})

describeFixtures(createIluvatarDriver, {
  'query.csv': {
    command: 'ixsmi --query-gpu',
    chips: [
      {
        index: 2,
        product: 'Iluvatar MR-V100',
        uuid: 'GPU-11111111-2222-3333-4444-555555555555',
        pciAddress: '0000:3f:00.0',
        memoryUsedBytes: mib(100),
        utilizationRatio: 0.09,
        temperatureCelsius: 44,
      },
    ],
  },
  'table-dual.txt': {
    command: 'ixsmi',
    chips: [
      {
        index: 4,
        chipOnCard: 0,
        powerWatts: null,
        cardPowerWatts: 280,
        utilizationRatio: 0.88,
        temperatureCelsius: 60,
      },
      { index: 5, chipOnCard: 1, powerWatts: 280, cardPowerWatts: 280, utilizationRatio: 0.8, temperatureCelsius: 58 },
    ],
  },
  'topology.txt': {
    command: 'ixsmi topo -m',
    facts: { links: { GPU0: { GPU1: 'PIX', NIC0: 'SYS' } }, numaAffinity: { GPU0: '0' } },
  },
})
