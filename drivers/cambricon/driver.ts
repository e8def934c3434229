import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { failureCommand, topologyCommand } from '../listing.ts'
import { sheet } from '../sheets.ts'
import { createVendorTool, knownFacts, type VendorCommand } from '../vendor-tool.ts'
import { parseJson, parseSentence, parseTable, parseText } from './outputs.ts'

const TOOL = 'cnmon'

const toolVersion = (text: string) => knownFacts({ toolVersion: /\bCNMON\s+(v[\w.]{1,20})/.exec(text)?.[1] })

const commands: readonly VendorCommand[] = [
  {
    command: TOOL,
    args: [],
    answersTo: /cnmon\s*$/,
    matches: (text) => parseTable(text).length > 0 || /^\|\s*CNMON\s+v/m.test(text),
    read: (text) => ({ readings: parseTable(text), facts: toolVersion(text) }),
  },
  {
    command: `${TOOL} info`,
    // Names uuids and, where the table has no address, the place on the bus.
    args: ['info'],
    answersTo: /cnmon\s+info(?!.*-j)/,
    matches: (text) => parseText(text).length > 0,
    read: (text) => ({ readings: parseText(text) }),
  },
  {
    command: `${TOOL} info -j`,
    answersTo: /-j\b|cnmon_info\.json/,
    matches: (text) => parseJson(text).length > 0,
    read: (text) => ({ readings: parseJson(text) }),
  },
  topologyCommand(TOOL),
  ...detectorCommands('cambricon'),
  {
    command: `${TOOL} (summary)`,
    answersTo: /summary/,
    matches: (text) => parseSentence(text).length > 0,
    read: (text) => ({
      readings: parseSentence(text),
      facts: knownFacts({ ...toolVersion(text), toolkitVersion: /Neuware Version\s+([\w.]{1,20})/i.exec(text)?.[1] }),
    }),
  },
  failureCommand(TOOL, /cnmon: (?:command )?not found|no (?:mlu|card|device)|failed|error|permission denied/i),
]

export function createCambriconDriver(): ChipDriver {
  return {
    name: 'cambricon',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['cabc'],
    kubernetesResources: ['cambricon.com/mlu', 'cambricon.com/vmlu'],
    torchDevice: 'mlu',
    collectiveLibrary: 'cncl',
    sheets: [
      sheet('MLU370-X4', { fp32: 24, fp16: 96, bf16: 96, int8: 256 }, 307.2, 'third party'),
      sheet('MLU370-S4', { fp32: 18, fp16: 72, bf16: 72, int8: 192 }, 307.2, 'memory'),
      sheet('MLU370-X8', { fp32: 24, fp16: 96, bf16: 96, int8: 256 }, 614.4, 'third party', 'the board of two chips'),
      sheet('MLU590', { fp32: 80, fp16: 314, bf16: 314, int8: 628 }, null, 'memory', 'another source says 256 and 512'),
    ],
    ...createVendorTool({
      vendor: 'cambricon',
      tool: TOOL,
      candidates: ['/usr/bin/cnmon', '/usr/local/neuware/bin/cnmon', '/usr/local/bin/cnmon', TOOL],
      deviceFiles: /^cambricon_dev\d+$/,
      kernelDrivers: /^cambricon/,
      topologyArgs: ['topo', '-m'],
      productOf: (device) => `Cambricon MLU ${device}`.trim(),
      commands,
    }),
    bind: (chips) => {
      const indices = chips.flatMap((chip) => chip.index ?? [])
      return {
        env: { MLU_VISIBLE_DEVICES: indices.join(','), CAMBRICON_VISIBLE_DEVICES: indices.join(',') },
        devices: [
          ...indices.flatMap((index) => [`/dev/cambricon_dev${index}`, `/dev/cambricon_ipcm${index}`]),
          '/dev/cambricon_ctl',
        ],
        mounts: ['/usr/bin/cnmon'],
      }
    },
  }
}
