import type { ChipDriver } from '@medley/fleet'
import { dmonReadings, dmonRows } from '../dmon.ts'
import { createVendorTool } from '../vendor-tool.ts'
import { isLog, parseLog, parseTable } from './parse.ts'
import { enflameSheets } from './sheets.ts'

const COLUMNS = { power: 'pwr', temperature: 'dtemp', utilization: 'dused', memoryShare: 'mused', memoryTotal: 'mem' }

export function createEnflameDriver(): ChipDriver {
  return {
    name: 'enflame',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['1e36'],
    kubernetesResources: ['enflame.com/gcu', 'enflame.com/vgcu', 'enflame.com/drs-gcu', 'enflame.com/shared-gcu'],
    torchDevice: 'gcu',
    collectiveLibrary: 'eccl',
    sheets: enflameSheets,
    ...createVendorTool({
      vendor: 'enflame',
      tool: 'efsmi',
      candidates: ['/usr/bin/efsmi', '/usr/local/bin/efsmi', '/opt/tops/bin/efsmi', 'efsmi'],
      deviceFiles: /^gcu\d+$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => (deviceId === 'c035' ? 'S60' : `Enflame GCU ${deviceId}`.trim()),
      commands: [
        {
          command: 'efsmi -q',
          answersTo: /\s-q\b/,
          args: ['-q'],
          matches: isLog,
          read: (text) => ({ readings: parseLog(text) }),
        },
        {
          command: 'efsmi -dmon',
          answersTo: /dmon/,
          matches: (text) => dmonRows(text).some((row) => row.has('dtemp') || row.has('dused')),
          read: (text) => ({ readings: dmonReadings(text, COLUMNS) }),
        },
        {
          command: 'efsmi',
          answersTo: /efsmi\s*$/,
          args: [],
          fallback: true,
          matches: (text) =>
            /\|\s*EFSMI\b|Enflame System Management/i.test(text) || parseTable(text).readings.length > 0,
          read: parseTable,
        },
      ],
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      const visible = indices.join(',')
      return {
        env: { TOPS_VISIBLE_DEVICES: visible, ENFLAME_VISIBLE_DEVICES: visible },
        devices: indices.map((index) => `/dev/gcu${index}`),
        mounts: [],
      }
    },
  }
}
