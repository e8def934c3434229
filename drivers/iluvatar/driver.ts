import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { failureCommand, listingCommand, topologyCommand } from '../listing.ts'
import { looksLikeQuery } from '../query-csv.ts'
import { sheet } from '../sheets.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { parseLog, parseQuery, parseTable } from './outputs.ts'

const TOOL = 'ixsmi'
const FIELDS = 'index,name,uuid,gpu_bus_id,memory.total,memory.used,utilization.gpu,temperature.gpu'

const query = (fields: string, more: Partial<VendorCommand>): VendorCommand => ({
  command: `${TOOL} --query-gpu`,
  args: [`--query-gpu=${fields}`, '--format=csv'],
  answersTo: /--query-gpu/,
  matches: (text) => looksLikeQuery(text) && parseQuery(text).length > 0,
  read: (text, command) => ({ readings: parseQuery(text, command) }),
  ...more,
})

const commands: readonly VendorCommand[] = [
  // Which name the power has depends on the version, and one unknown name fails a query: the table has it always.
  query(FIELDS, {}),
  {
    command: TOOL,
    args: [],
    answersTo: /ixsmi\s*$/,
    matches: (text) => parseTable(text).length > 0 || /\|\s*IX-ML:/.test(text),
    read: (text) => ({
      readings: parseTable(text),
      facts: knownFacts({ toolVersion: /IX-ML\s*:\s*(\d[\w.]{0,20})/.exec(text)?.[1] }),
    }),
  },
  {
    command: `${TOOL} -q`,
    answersTo: /\s-q\b/,
    matches: (text) => /^\s*Product Name\s*:/m.test(text) && parseLog(text).length > 0,
    read: (text) => ({
      readings: parseLog(text),
      facts: knownFacts({ toolVersion: /IX-ML\s*:\s*(\d[\w.]{0,20})/.exec(text)?.[1] }),
    }),
  },
  listingCommand(TOOL),
  topologyCommand(TOOL),
  ...detectorCommands('iluvatar'),
  failureCommand(TOOL, /no devices|ixsmi: (?:command )?not found|couldn't communicate|failed|error|permission denied/i),
]

export function createIluvatarDriver(): ChipDriver {
  return {
    name: 'iluvatar',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['1e3e'],
    kubernetesResources: ['iluvatar.com/gpu'],
    torchDevice: 'cuda',
    collectiveLibrary: 'ixccl',
    sheets: [
      sheet('BI-V100', { fp32: 37, fp16: 147, bf16: 147, int8: 295 }, 1200, 'third party'),
      sheet('BI-V150', { fp16: 192, bf16: 192, int8: 384 }, null, 'third party', 'the card of two chips'),
      sheet('MR-V100', { fp32: 24, fp16: 96, int8: 384 }, 800, 'memory', 'another source says 80 and 160'),
    ],
    ...createVendorTool({
      vendor: 'iluvatar',
      tool: TOOL,
      candidates: ['/usr/local/corex/bin/ixsmi', '/usr/bin/ixsmi', TOOL],
      deviceFiles: /^iluvatar\d+$/,
      kernelDrivers: /^(?:iluvatar|itr|bi_driver)/,
      topologyArgs: ['topo', '-m'],
      productOf: (device) => `Iluvatar ${device}`.trim(),
      commands,
    }),
    bind: (chips) => {
      const uuids = chips.map((chip) => chip.uuid).filter((uuid) => uuid.startsWith('GPU-'))
      const indices = chips.flatMap((chip) => chip.index ?? []).join(',')
      return {
        env: {
          CUDA_VISIBLE_DEVICES: indices,
          IX_VISIBLE_DEVICES: uuids.length === chips.length ? uuids.join(',') : indices,
        },
        devices: [...chips.flatMap((chip) => `/dev/iluvatar${chip.extra.minor ?? chip.index ?? ''}`), '/dev/itrctl'],
        mounts: ['/usr/local/corex'],
      }
    },
  }
}
