import type { ChipDriver } from '@medley/fleet'
import { parseTopology } from '../lines.ts'
import { createVendorTool } from '../vendor-tool.ts'
import { parseList, parseShow, parseTable } from './parse.ts'
import { metaxSheets } from './sheets.ts'

const TABLE = /\|[^|\n]*\b(?:MX|HT)-SMI\s+\d/
const LIST = /^\s*GPU\s?#\d+[\s:]+\S.*(?:available)/im

/** The same tool is sold under other names by partners; `ht-smi` prints the same layout. */
export function createMetaxDriver(): ChipDriver {
  return {
    name: 'metax',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['9999'],
    kubernetesResources: ['metax-tech.com/gpu', 'metax-tech.com/sgpu'],
    torchDevice: 'cuda',
    collectiveLibrary: 'mccl',
    sheets: metaxSheets,
    ...createVendorTool({
      vendor: 'metax',
      tool: 'mx-smi',
      candidates: ['/opt/mxdriver/bin/mx-smi', '/opt/maca/bin/mx-smi', '/usr/bin/mx-smi', 'mx-smi', 'ht-smi'],
      deviceFiles: /^mxcd/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      topologyArgs: ['topo', '-m'],
      productOf: (deviceId) => `MetaX GPU ${deviceId}`.trim(),
      commands: [
        {
          command: 'mx-smi topo -m',
          answersTo: /topo\b/,
          matches: (text) => !TABLE.test(text) && parseTopology(text) !== null,
          read: (text) => {
            const topology = parseTopology(text)
            return topology === null ? null : { facts: { topology } }
          },
        },
        {
          command: 'mx-smi -L',
          answersTo: /\s-L\b|--list/,
          args: ['-L'],
          matches: (text) => !TABLE.test(text) && LIST.test(text),
          read: (text) => ({ readings: parseList(text) }),
        },
        {
          command: 'mx-smi --show-usage',
          answersTo: /--show-/,
          matches: (text) => !TABLE.test(text) && /^\s*GPU\s?#\d+\s/m.test(text),
          read: (text) => ({ readings: parseShow(text) }),
        },
        {
          command: 'mx-smi',
          answersTo: /^\S*(?:mx|ht)-smi\s*$/,
          args: [],
          matches: (text) => TABLE.test(text) || parseTable(text).readings.length > 0,
          read: parseTable,
        },
      ],
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? []).join(',')
      return {
        env: { MACA_VISIBLE_DEVICES: indices, CUDA_VISIBLE_DEVICES: indices },
        devices: ['/dev/mxcd', '/dev/dri'],
        mounts: ['/opt/mxdriver'],
      }
    },
  }
}
