import type { ChipDriver } from '@medley/fleet'
import { parseBoxTable } from '../box-table.ts'
import { textOrNull } from '../parsing.ts'
import { looksLikeQuery, parseQueryCsv } from '../query-csv.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { birenSheets } from './sheets.ts'

const PRODUCT = /^(?:Biren|BR\d|\d{3}[A-Z]\b|壁)/i

/** Only these fields are known from public scripts; one that a version does not know fails the whole query. */
const FIELDS = 'index,name,memory.used,memory.free'

const commands: readonly VendorCommand[] = [
  {
    command: 'brsmi gpu --query-gpu',
    answersTo: /--query-/,
    args: ['gpu', `--query-gpu=${FIELDS}`, '--format=csv'],
    matches: (text) => looksLikeQuery(text) && parseQueryCsv(text, PRODUCT).length > 0,
    read: (text, command) => ({
      // The total is not asked for: used and free add up to it.
      readings: parseQueryCsv(text, PRODUCT, command).map((reading) => {
        const { memoryTotalBytes, memoryUsedBytes, extra } = reading
        const free = typeof extra.memoryFreeBytes === 'number' ? extra.memoryFreeBytes : null
        const sum = memoryUsedBytes === null || free === null ? null : memoryUsedBytes + free
        return { ...reading, memoryTotalBytes: memoryTotalBytes ?? sum }
      }),
    }),
  },
  {
    command: 'brsmi',
    answersTo: /brsmi\s*$/,
    args: [],
    matches: (text) => /\|.*\bBR-?SMI\b/i.test(text) || parseBoxTable(text).readings.length > 0,
    read: (text) => {
      const { readings, banner } = parseBoxTable(text)
      const driverVersion = textOrNull(banner.get('driver version'))
      return {
        readings: readings.map((reading) => ({ ...reading, driverVersion })),
        facts: knownFacts({ driverVersion, toolVersion: banner.get('brsmi') ?? banner.get('brsmi version') }),
      }
    },
  },
]

/** No real output of this tool could be found: the layout follows what public scripts ask it and how they read it. */
export function createBirenDriver(): ChipDriver {
  return {
    name: 'biren',
    layoutVerified: false,
    domestic: true,
    pciVendorIds: ['1ee0'],
    kubernetesResources: ['birentech.com/gpu', 'birentech.com/1-2-gpu', 'birentech.com/1-4-gpu'],
    torchDevice: 'supa',
    collectiveLibrary: 'succl',
    sheets: birenSheets,
    ...createVendorTool({
      vendor: 'biren',
      tool: 'brsmi',
      candidates: ['/usr/bin/brsmi', '/usr/local/birensupa/bin/brsmi', 'brsmi'],
      deviceFiles: /^biren(?:-m)?$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => `Biren GPU ${deviceId}`.trim(),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      return {
        env: { BIREN_VISIBLE_DEVICES: indices.join(',') },
        devices: ['/dev/biren-m', ...indices.map((index) => `/dev/biren/card_${index}`)],
        mounts: [],
      }
    },
  }
}
