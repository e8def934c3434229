import type { ChipDriver, PciFunction } from '@medley/fleet'
import { parseBoxTable } from '../box-table.ts'
import { textOrNull } from '../parsing.ts'
import { looksLikeQuery, parseQueryCsv } from '../query-csv.ts'
import { logReadings } from '../smi-log.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { gaudiSheets } from './sheets.ts'

const PRODUCT = /^HL-?\d/i
const BLOCK = /^(?:\[\d+\]\s*)?AIP\b.*[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i
const FIELDS = [
  'index,uuid,name,driver_version,memory.total,memory.used,memory.free,power.draw,power.max,temperature.aip',
  'utilization.aip,bus_id,serial',
].join(',')

/** Fields that every version knows; newer ones are asked for first and refused by older tools. */
const BASIC_FIELDS = FIELDS.replace(',bus_id,serial', '')

const PRODUCTS: Readonly<Record<string, string>> = {
  '1000': 'Gaudi',
  '1010': 'Gaudi',
  '1020': 'Gaudi2',
  '1060': 'Gaudi3',
  '1063': 'Gaudi3 PCIe',
}

function query(fields: string): VendorCommand {
  return {
    command: 'hl-smi -Q',
    answersTo: /\s-Q\b|--query-aip/,
    args: ['-Q', fields, '-f', 'csv,noheader'],
    fallback: fields === BASIC_FIELDS,
    matches: (text) => looksLikeQuery(text) && parseQueryCsv(text, PRODUCT).length > 0,
    // A saved file may hold the answer to any query: only columns that fit the one named here are read by name.
    read: (text, typed) => {
      const named = parseQueryCsv(text, PRODUCT, typed)
      return { readings: named.length > 0 ? named : parseQueryCsv(text, PRODUCT) }
    },
  }
}

const commands: readonly VendorCommand[] = [
  query(FIELDS),
  query(BASIC_FIELDS),
  {
    command: 'hl-smi -q',
    answersTo: /\s-q\b/,
    matches: (text) => text.split('\n').some((line) => BLOCK.test(line.trim())),
    read: (text) => ({ readings: logReadings(text, BLOCK) }),
  },
  {
    command: 'hl-smi',
    answersTo: /hl-smi\s*$/,
    args: [],
    fallback: true,
    matches: (text) => /\|\s*(?:HL-SMI Version|AIP\s+Name)\b/i.test(text) || parseBoxTable(text).readings.length > 0,
    read: (text) => {
      const { readings, banner } = parseBoxTable(text)
      const driverVersion = textOrNull(banner.get('driver version'))
      return {
        readings: readings.map((reading) => ({ ...reading, driverVersion })),
        facts: knownFacts({ driverVersion, toolVersion: banner.get('hl-smi version') }),
      }
    },
  },
]

export function createGaudiDriver(): ChipDriver {
  return {
    name: 'gaudi',
    layoutVerified: true,
    domestic: false,
    pciVendorIds: ['1da3'],
    kubernetesResources: ['habana.ai/gaudi'],
    torchDevice: 'hpu',
    collectiveLibrary: 'hccl',
    sheets: gaudiSheets,
    ...createVendorTool({
      vendor: 'gaudi',
      tool: 'hl-smi',
      candidates: ['/usr/bin/hl-smi', '/usr/local/bin/hl-smi', 'hl-smi'],
      deviceFiles: /^hl\d+$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => PRODUCTS[deviceId] ?? `Gaudi ${deviceId}`.trim(),
      isChip: (func: PciFunction) => !/^0[68]/.test(func.classCode),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      return {
        env: { HABANA_VISIBLE_DEVICES: indices.join(',') },
        devices: indices.flatMap((index) => [`/dev/accel/accel${index}`, `/dev/accel/accel_controlD${index}`]),
        mounts: [],
      }
    },
  }
}
