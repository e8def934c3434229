import { describeSamples } from '../fixtures/sample-table.ts'
import { createCpuDriver } from './driver.ts'

describeSamples(createCpuDriver, [/^cpu\//], {
  'cpu/lscpu-J-sandbox.json': {
    command: 'lscpu',
    facts: { hypervisor: 'KVM', logicalCpus: 2 },
    chips: [{ index: 0, product: 'AMD EPYC', computeUnits: 2, uuid: 'cpu-index-0' }],
  },
  'cpu/lscpu-xeon4316.txt': {
    command: 'lscpu',
    chips: [0, 1].map((index) => ({
      index,
      product: 'Intel(R) Xeon(R) Silver 4316 CPU @ 2.30GHz',
      computeUnits: 40,
      memoryTotalBytes: null,
    })),
  },
  'cpu/proc-meminfo-sandbox.txt': {
    command: 'cat /proc/meminfo',
    facts: { memoryTotalBytes: 24684084 * 1024, memoryAvailableBytes: 20184296 * 1024 },
  },
  'cpu/sys-node-sandbox.txt': {
    command: 'cat /sys/devices/system/node/node*/cpulist',
    facts: { numaNodes: [{ node: 0, cpus: [0, 1] }] },
  },
})
