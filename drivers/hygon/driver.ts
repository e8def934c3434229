import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { failureCommand, topologyCommand } from '../listing.ts'
import { sheet } from '../sheets.ts'
import { createVendorTool, type VendorCommand } from '../vendor-tool.ts'
import { parseAgents, parseJson, parseLines, parseTable } from './outputs.ts'

const TOOL = 'hy-smi'
const SHOW = ['meminfo', 'use', 'memuse', 'temp', 'power', 'maxpower', 'serial', 'uniqueid', 'productname', 'bus']

const commands: readonly VendorCommand[] = [
  {
    command: `${TOOL} --json`,
    args: [
      '--showid',
      ...SHOW.flatMap((what) => (what === 'meminfo' ? ['--showmeminfo', 'vram'] : [`--show${what}`])),
      '--json',
    ],
    answersTo: /--json/,
    matches: (text) => parseJson(text).length > 0,
    read: (text) => ({ readings: parseJson(text) }),
  },
  {
    command: TOOL,
    args: [],
    fallback: true,
    answersTo: /(?:hy|rocm)-smi\s*$/,
    matches: (text) => parseTable(text).length > 0,
    read: (text) => ({ readings: parseTable(text) }),
  },
  {
    command: `${TOOL} --showmeminfo vram`,
    answersTo: /--show/,
    matches: (text) => parseLines(text).length > 0,
    read: (text) => ({ readings: parseLines(text) }),
  },
  {
    command: 'rocminfo',
    answersTo: /rocminfo/,
    matches: (text) => /^\s*Agent 1\s*$/m.test(text) && /Device Type:/.test(text),
    read: parseAgents,
  },
  topologyCommand(TOOL),
  ...detectorCommands('hygon'),
  failureCommand(
    TOOL,
    /no device available|no device found|initialization failed|open mkfd failed|not found|failed|permission denied/i,
  ),
]

const PRODUCTS: Readonly<Record<string, string>> = { '55b7': 'Z100L', '6210': 'K100_AI', '6320': 'K100_AI' }

export function createHygonDriver(): ChipDriver {
  return {
    name: 'hygon',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['1d94'],
    kubernetesResources: ['hygon.com/dcu', 'hygon.com/dcunum'],
    // Its PyTorch is a ROCm-like build.
    torchDevice: 'cuda',
    collectiveLibrary: 'rccl',
    sheets: [
      sheet('Z100', { fp32: 12.2, fp16: 24.5, int8: 49 }, 1024, 'memory'),
      sheet('K100', { fp32: 24.5, fp16: 100, int8: 200 }, 896, 'memory'),
      sheet(
        'K100_AI',
        { fp32: 49, tf32: 96, fp16: 192, bf16: 192, int8: 392 },
        896,
        'third party',
        'bandwidth disputed',
      ),
      sheet('BW1000', {}, null, 'third party', 'no compute figure found'),
    ],
    ...createVendorTool({
      vendor: 'hygon',
      tool: TOOL,
      candidates: [
        '/opt/hyhal/bin/hy-smi',
        '/usr/local/hyhal/bin/hy-smi',
        '/opt/dtk/bin/hy-smi',
        '/usr/bin/hy-smi',
        TOOL,
      ],
      deviceFiles: /^mkfd$/,
      kernelDrivers: /^(?:hycu|hydcu|amdgpu)/,
      productOf: (device) => PRODUCTS[device] ?? `Hygon DCU ${device}`.trim(),
      // The maker's processors share its id: their functions have other classes, or none of these.
      isChip: (func) => /^(?:03|12|0b40)/.test(func.classCode),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? []).join(',')
      return {
        env: { HIP_VISIBLE_DEVICES: indices, DCU_VISIBLE_DEVICES: indices },
        devices: ['/dev/kfd', '/dev/mkfd', '/dev/dri'],
        mounts: ['/opt/hyhal'],
      }
    },
  }
}
