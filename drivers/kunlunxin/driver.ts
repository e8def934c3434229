import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { failureCommand, listingCommand, monitorCommand, topologyCommand } from '../listing.ts'
import { textOrNull } from '../parsing.ts'
import { sheet } from '../sheets.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { parseLog, parseMachineLines, parseTable } from './outputs.ts'

const TOOL = 'xpu-smi'

const versionsOf = (text: string) =>
  knownFacts({
    driverVersion: textOrNull(/Driver Version\s*:\s*([^\s|]{1,40})/i.exec(text)?.[1]),
    runtimeVersion: textOrNull(/XPU-RT Version\s*:\s*([^\s|]{1,40})/i.exec(text)?.[1]),
  })

const commands: readonly VendorCommand[] = [
  {
    command: `${TOOL} -q`,
    args: ['-q'],
    answersTo: /\s-q\b/,
    matches: (text) => parseLog(text).length > 0,
    read: (text) => ({ readings: parseLog(text), facts: versionsOf(text) }),
  },
  {
    command: TOOL,
    args: [],
    fallback: true,
    answersTo: /xpu[-_]smi\s*$/,
    // Another maker's tool has the same name; this one's banner tells them apart.
    matches: (text) => /\bXPU-SMI\b.*Driver Version|\|\s*XPU\s+Name/.test(text),
    read: (text) => ({ readings: parseTable(text), facts: versionsOf(text) }),
  },
  {
    command: `${TOOL} -m`,
    args: ['-m'],
    fallback: true,
    answersTo: /\s-m\b/,
    matches: (text) => parseMachineLines(text).length > 0,
    read: (text) => ({ readings: parseMachineLines(text) }),
  },
  listingCommand(TOOL),
  topologyCommand(TOOL),
  ...detectorCommands('kunlunxin'),
  monitorCommand('kunlunxin', TOOL),
  failureCommand(
    TOOL,
    /xpu[-_]smi: (?:command )?not found|no (?:xpu|device)|couldn't communicate|failed|error|permission denied/i,
  ),
]

const PRODUCTS: Readonly<Record<string, string>> = { '3686': 'P800' }

export function createKunlunxinDriver(): ChipDriver {
  return {
    name: 'kunlunxin',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['2057', '1d22'],
    kubernetesResources: ['kunlunxin.com/xpu', 'kunlunxin.com/vxpu'],
    // On P800 the PyTorch plugin looks like CUDA.
    torchDevice: 'cuda',
    collectiveLibrary: 'bkcl',
    sheets: [
      sheet('R200', { fp32: 32, fp16: 128, int8: 256 }, 512, 'third party'),
      sheet('R300', { fp32: 32, fp16: 128, int8: 256 }, 512, 'third party'),
      sheet('P800', { fp16: 345 }, null, 'memory', 'another source says 256 in bf16'),
    ],
    ...createVendorTool({
      vendor: 'kunlunxin',
      tool: TOOL,
      candidates: [
        '/usr/local/bin/xpu-smi',
        '/opt/xre/bin/xpu-smi',
        '/usr/local/xpu/bin/xpu-smi',
        '/usr/local/bin/xpu_smi',
        'xpu_smi',
        TOOL,
      ],
      deviceFiles: /^xpu\d+$/,
      kernelDrivers: /^(?:kunlun|xpu)/,
      topologyArgs: ['topo', '-m'],
      productOf: (device) => PRODUCTS[device] ?? `Kunlunxin ${device}`.trim(),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      const list = indices.join(',')
      return {
        env: { XPU_VISIBLE_DEVICES: list, CUDA_VISIBLE_DEVICES: list, CXPU_VISIBLE_DEVICES: list },
        devices: [...chips.flatMap((chip) => `/dev/xpu${chip.extra.minor ?? chip.index ?? ''}`), '/dev/xpuctrl'],
        mounts: ['/usr/local/bin/xpu-smi'],
      }
    },
  }
}
