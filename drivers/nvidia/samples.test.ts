import { describeSamples, mib } from '../fixtures/sample-table.ts'
import { createNvidiaDriver } from './driver.ts'

const query = 'nvidia-smi --query-gpu'

describeSamples(createNvidiaDriver, [/^nvidia\//, /^synthetic\/nvidia/], {
  'nvidia/gpustack-detect_output_nvidia_rtx5090d.json': {
    command: 'gpustack-runtime detect --format json',
    chips: [
      {
        index: 0,
        uuid: 'GPU-31b58f27-ac45-ec52-c386-90aaeff2dfac',
        product: 'NVIDIA GeForce RTX 5090 D',
        pciAddress: '0000:01:00.0',
        memoryUsedBytes: mib(3),
        memoryTotalBytes: mib(32607),
        temperatureCelsius: 51,
        powerWatts: 21,
        numaNode: 0,
      },
    ],
  },
  'nvidia/nvidia-smi-lost-gpu.txt': {
    command: 'nvidia-smi',
    facts: { driverVersion: '610.57.04', lostAddresses: ['0000:34:00.0'] },
  },
  'nvidia/nvidia-smi-no-devices.txt': { command: 'nvidia-smi', facts: { error: 'No devices were found' } },
  'nvidia/nvidia-smi-q-x-mig.xml': {
    command: 'nvidia-smi -q -x',
    chips: [
      {
        pciAddress: '0000:00:09.0',
        memoryUsedBytes: mib(3703),
        memoryTotalBytes: mib(81920),
        temperatureCelsius: 38,
        driverVersion: '575.57.08',
      },
    ],
  },
  // Without its command nobody can tell which figure is which.
  'nvidia/nvidia-smi-query-csv-unified-memory-NA.txt': { command: null, unreadable: true },
  'nvidia/nvidia-smi-query-csv.txt': {
    command: query,
    chips: [
      { pciAddress: '0000:3b:00.0', serial: '1322519087621', memoryTotalBytes: mib(15360), powerWatts: null },
      { pciAddress: '0000:86:00.0', serial: '1322519087622', memoryTotalBytes: mib(15360), powerWatts: null },
    ],
  },
  'nvidia/nvidia-smi-query-long.txt': {
    command: query,
    chips: [
      {
        uuid: 'GPU-6933bcb7-7072-2181-a92f-0e5c42c3fa0d',
        product: 'GeForce RTX 2080',
        driverVersion: '440.100',
        firmwareVersion: '90.04.23.00.5F',
      },
    ],
  },
  'nvidia/nvidia-smi-table-535.txt': {
    command: 'nvidia-smi',
    chips: [
      {
        index: 0,
        product: 'Quadro RTX 4000',
        pciAddress: '0000:06:00.0',
        temperatureCelsius: 25,
        powerWatts: 10,
        memoryUsedBytes: mib(1),
        memoryTotalBytes: mib(8192),
        utilizationRatio: 0,
        driverVersion: '535.129.03',
      },
    ],
  },
  'synthetic/nvidia-nvidia-smi-ERR-row.txt': {
    command: 'nvidia-smi',
    chips: [
      { index: 3, pciAddress: '0000:90:00.0', product: 'NVIDIA A100-SXM4-80GB', powerWatts: null, health: 'lost' },
    ],
  },
  'synthetic/nvidia-nvidia-smi-query-lost.txt': {
    command: query,
    chips: [
      { index: 0, pciAddress: '0000:07:00.0', product: 'NVIDIA A100-SXM4-80GB', health: 'unknown' },
      { index: 1, pciAddress: '0000:0a:00.0', memoryTotalBytes: null, health: 'lost' },
      { index: 2, pciAddress: '0000:44:00.0', memoryTotalBytes: null, health: 'lost' },
      { index: 3, pciAddress: '0000:4a:00.0', memoryTotalBytes: null, health: 'unknown' },
    ],
  },
})
