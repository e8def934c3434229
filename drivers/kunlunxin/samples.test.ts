import { describeFixtures, describeSamples, mib } from '../fixtures/sample-table.ts'
import { createKunlunxinDriver } from './driver.ts'

describeSamples(createKunlunxinDriver, [/^kunlunxin\//, /^synthetic\/kunlunxin/], {
  'kunlunxin/xpu-smi-p800-515.58.txt': {
    command: 'xpu-smi',
    facts: { driverVersion: '515.58' },
    chips: [
      {
        index: 0,
        product: 'P800 OAM',
        pciAddress: '0000:52:00.0',
        temperatureCelsius: 43,
        powerWatts: 98,
        memoryUsedBytes: mib(100),
        memoryTotalBytes: mib(98304),
        utilizationRatio: 0,
        eccErrorsUncorrected: 0,
        driverVersion: '515.58',
        health: 'healthy',
      },
      { index: 1, pciAddress: '0000:55:00.0', temperatureCelsius: 37, powerWatts: 86, memoryTotalBytes: mib(98304) },
    ],
  },
  'kunlunxin/xpu-smi-q-p800.txt': {
    command: 'xpu-smi -q',
    facts: { driverVersion: '5.0.21.26', runtimeVersion: '10.2' },
    chips: [
      {
        index: 0,
        product: 'P800 PCIe',
        uuid: 'GPU-420716f2-9928-5108-a5b2-e6b7cf36b37c',
        serial: '02K0MA0258D0007R',
        pciAddress: '0000:01:00.0',
        memoryUsedBytes: 0,
        memoryTotalBytes: mib(98304),
        utilizationRatio: 0,
        temperatureCelsius: 46,
        powerWatts: 76,
        eccErrorsUncorrected: 0,
        firmwareVersion: '1.0.2.14.1.54',
        driverVersion: '5.0.21.26',
        health: 'healthy',
      },
    ],
  },
  'kunlunxin/xpu_smi-r300-monitor-lines.txt': {
    command: 'xpu-smi (monitor lines)',
    chips: [
      { temperatureCelsius: 37, powerWatts: 74, memoryUsedBytes: 0, memoryTotalBytes: mib(32768), utilizationRatio: 0 },
      { temperatureCelsius: 40, powerWatts: 114, memoryUsedBytes: mib(28653), utilizationRatio: 0.94 },
      { temperatureCelsius: 34, powerWatts: 74, memoryUsedBytes: 0, utilizationRatio: 0 },
    ],
  },
  'synthetic/kunlunxin-xpu-smi-m-line.txt': {
    command: 'xpu-smi -m',
    chips: [
      {
        index: null,
        product: 'P800 PCIe',
        temperatureCelsius: 46,
        powerWatts: 76,
        memoryUsedBytes: 0,
        memoryTotalBytes: mib(98304),
        utilizationRatio: 0,
      },
    ],
  },
})

describeFixtures(createKunlunxinDriver, {
  'log.txt': {
    command: 'xpu-smi -q',
    chips: [
      {
        index: 4,
        product: 'P800 OAM',
        pciAddress: '0000:9a:00.0',
        memoryUsedBytes: mib(4096),
        memoryTotalBytes: mib(98304),
        utilizationRatio: 0.77,
        powerWatts: 240.5,
        temperatureCelsius: 58,
        eccErrorsUncorrected: 2,
        health: 'degraded',
      },
    ],
  },
  'table.txt': {
    command: 'xpu-smi',
    chips: [
      {
        index: 2,
        pciAddress: '0000:9a:00.0',
        memoryUsedBytes: mib(4096),
        memoryTotalBytes: mib(98304),
        utilizationRatio: 0.77,
        powerWatts: 240,
        eccErrorsUncorrected: 1,
        health: 'degraded',
      },
    ],
  },
})
