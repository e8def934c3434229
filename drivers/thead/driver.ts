import type { ChipDriver } from '@medley/fleet'
import { parseBoxTable } from '../box-table.ts'
import { detectorCommands } from '../detector-json.ts'
import { dmonReadings, dmonRows } from '../dmon.ts'
import { linesOf, parseTopology } from '../lines.ts'
import { countOrNull, textOrNull } from '../parsing.ts'
import { looksLikeQuery, parseQueryCsv } from '../query-csv.ts'
import { type Reading, readingOf } from '../reading.ts'
import { logReadings } from '../smi-log.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { theadSheets } from './sheets.ts'

const PRODUCT = /^(?:PPU|ZW)/i
const LISTED = /^\s*(?:PPU|GPU)\s+(\d{1,4}):\s+(\S.*?)\s+\(UUID:\s*([^\s)]+)\)/
const BLOCK = /^(?:PPU|GPU)\s+[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i

/** `ppu` stands where the tool this one is modelled on has `gpu`, yet some field names keep their `gpu_`. */
const FIELDS = [
  'index,name,uuid,pci.bus_id,driver_version,memory.total,memory.used',
  'utilization.ppu,temperature.ppu,power.draw,power.limit,gpu_serial',
].join(',')

function list(text: string): Reading[] {
  return linesOf(text).flatMap((line) => {
    const match = LISTED.exec(line)
    const product = textOrNull(match?.[2])
    return match ? [readingOf({ index: countOrNull(match[1]), product, uuid: textOrNull(match[3]) })] : []
  })
}

const commands: readonly VendorCommand[] = [
  {
    command: 'ppu-smi --query-ppu',
    answersTo: /--query-/,
    args: [`--query-ppu=${FIELDS}`, '--format=csv'],
    matches: (text) => looksLikeQuery(text) && parseQueryCsv(text, PRODUCT).length > 0,
    read: (text, command) => ({ readings: parseQueryCsv(text, PRODUCT, command) }),
  },
  {
    command: 'ppu-smi -q',
    answersTo: /\s-q\b/,
    args: ['-q'],
    fallback: true,
    matches: (text) => text.split('\n').some((line) => BLOCK.test(line.trim())),
    read: (text) => ({ readings: logReadings(text, BLOCK) }),
  },
  {
    command: 'ppu-smi -L',
    answersTo: /\s-L\b/,
    args: ['-L'],
    fallback: true,
    matches: (text) => list(text).length > 0,
    read: (text) => ({ readings: list(text) }),
  },
  {
    command: 'ppu-smi dmon -c 1',
    answersTo: /dmon/,
    matches: (text) => dmonRows(text).some((row) => row.has('ppu')),
    read: (text) => ({
      readings: dmonReadings(text, { power: 'pwr', temperature: 'ptemp', utilization: 'cu', memoryShare: 'mem' }),
    }),
  },
  ...detectorCommands('thead'),
  {
    command: 'ppu-smi topo -m',
    answersTo: /topo/,
    matches: (text) => !text.includes('|') && parseTopology(text) !== null,
    read: (text) => {
      const topology = parseTopology(text)
      return topology === null ? null : { facts: { topology } }
    },
  },
  {
    command: 'ppu-smi',
    answersTo: /ppu-smi\s*$/,
    matches: (text) => /\|.*\b(?:PPU-SMI|PPU\s+Name)\b/.test(text) || parseBoxTable(text).readings.length > 0,
    read: (text) => {
      const { readings, banner } = parseBoxTable(text)
      const driverVersion = textOrNull(banner.get('driver version'))
      return {
        readings: readings.map((reading) => ({ ...reading, driverVersion })),
        facts: knownFacts({ driverVersion, toolVersion: banner.get('ppu-smi') }),
      }
    },
  },
]

export function createTheadDriver(): ChipDriver {
  return {
    name: 'thead',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['1ded'],
    kubernetesResources: ['alibabacloud.com/ppu'],
    torchDevice: 'cuda',
    collectiveLibrary: 'pccl',
    sheets: theadSheets,
    ...createVendorTool({
      vendor: 'thead',
      tool: 'ppu-smi',
      candidates: ['/usr/local/bin/ppu-smi', '/usr/local/PPU_SDK/ppu-smi/bin/ppu-smi', 'ppu-smi'],
      deviceFiles: /^alixpu_ppu\d+$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      topologyArgs: ['topo', '-m'],
      productOf: (deviceId) => `T-Head PPU ${deviceId}`.trim(),
      commands,
    }),
    bind: (chips) => {
      const visible = chips.flatMap((chip) => chip.index ?? []).join(',')
      // The number of the device file is the kernel's own, not the index: what is not known is not guessed.
      const minors = chips.flatMap((chip) => (typeof chip.extra.minor === 'number' ? [chip.extra.minor] : []))
      return {
        env: { CUDA_VISIBLE_DEVICES: visible, NVIDIA_VISIBLE_DEVICES: visible },
        devices: [
          '/dev/alixpu',
          '/dev/alixpu_ctl',
          '/dev/alixpu_sep',
          ...minors.map((minor) => `/dev/alixpu_ppu${minor}`),
        ],
        mounts: [],
      }
    },
  }
}
