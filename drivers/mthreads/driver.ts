import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { failureCommand, listingCommand, monitorCommand, topologyCommand } from '../listing.ts'
import { sheet } from '../sheets.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { parseJson, parseLog, parseTable } from './outputs.ts'

const TOOL = 'mthreads-gmi'

const commands: readonly VendorCommand[] = [
  {
    command: `${TOOL} -q --json`,
    args: ['-q', '--json'],
    answersTo: /--json/,
    matches: (text) => parseJson(text).length > 0,
    read: (text) => ({
      readings: parseJson(text),
      facts: knownFacts({ attachedGpus: countOf(/"Attached GPUs"\s*:\s*"?(\d{1,4})/.exec(text)?.[1]) }),
    }),
  },
  {
    command: TOOL,
    args: [],
    fallback: true,
    answersTo: /mthreads-gmi(?:\s+-cf)?\s*$/,
    matches: (text) => parseTable(text).length > 0 || /mthreads-gmi\s*:\s*\d/.test(text),
    read: (text) => {
      const version = /mthreads-gmi\s*:\s*([\w.-]{1,40})/.exec(text)?.[1]
      return { readings: parseTable(text), facts: knownFacts({ toolVersion: version }) }
    },
  },
  {
    command: `${TOOL} -q`,
    answersTo: /\s(?:-q|--query)\b/,
    matches: (text) => parseLog(text).length > 0,
    read: (text) => ({ readings: parseLog(text) }),
  },
  listingCommand(TOOL),
  topologyCommand(TOOL),
  ...detectorCommands('mthreads'),
  monitorCommand('mthreads', TOOL),
  failureCommand(TOOL, /mthreads-gmi: (?:command )?not found|no (?:mt)?gpus?\b|failed|error|permission denied/i),
]

function countOf(digits: string | undefined): number | null {
  return digits === undefined ? null : Number(digits)
}

export function createMthreadsDriver(): ChipDriver {
  return {
    name: 'mthreads',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['1ed5'],
    kubernetesResources: ['mthreads.com/gpu', 'mthreads.com/vgpu'],
    torchDevice: 'musa',
    collectiveLibrary: 'mccl',
    sheets: [
      sheet('MTT S3000', { fp32: 15.2 }, 448, 'memory', 'another source says 50 and 100 at lower precision'),
      sheet('MTT S4000', { fp32: 25, tf32: 49, fp16: 98, bf16: 98, int8: 196 }, 768, 'third party'),
      sheet('MTT S5000', { fp8: 1000 }, 1600, 'memory'),
    ],
    ...createVendorTool({
      vendor: 'mthreads',
      tool: TOOL,
      candidates: ['/usr/bin/mthreads-gmi', '/usr/local/bin/mthreads-gmi', TOOL],
      deviceFiles: /^mtgpu\.\d+$/,
      kernelDrivers: /^mtgpu/,
      topologyArgs: ['topo', '-m'],
      productOf: (device) => (device === '0400' ? 'MTT S5000' : `Moore Threads ${device}`.trim()),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      return {
        env: { MUSA_VISIBLE_DEVICES: indices.join(','), MTHREADS_VISIBLE_DEVICES: indices.join(',') },
        devices: [...indices.map((index) => `/dev/mtgpu.${index}`), '/dev/dri'],
        mounts: ['/usr/bin/mthreads-gmi'],
      }
    },
  }
}
