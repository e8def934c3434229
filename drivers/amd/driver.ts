import type { ChipDriver } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { createVendorTool, type VendorCommand } from '../vendor-tool.ts'
import { parseAmdSmiJson, parseConcise, parseRocminfo, parseRocmJson } from './parse.ts'
import { amdSheets } from './sheets.ts'

const AMD_SMI = ['/opt/rocm/bin/amd-smi', '/usr/bin/amd-smi', 'amd-smi']

function amdSmi(verb: string): VendorCommand {
  return {
    command: `amd-smi ${verb} --json`,
    answersTo: new RegExp(`amd-smi ${verb}\\b`),
    args: [verb, '--json'],
    candidates: AMD_SMI,
    matches: (text) => text.includes('"gpu"') && parseAmdSmiJson(text) !== null,
    read: (text) => ({ readings: parseAmdSmiJson(text) ?? [] }),
  }
}

const commands: readonly VendorCommand[] = [
  {
    command: 'rocm-smi --json',
    answersTo: /rocm-smi.*--json/,
    args: [
      '--showid',
      '--showbus',
      '--showmeminfo',
      'vram',
      '--showpower',
      '--showserial',
      '--showuse',
      '--showtemp',
      '--showproductname',
      '--showuniqueid',
      '--showdriverversion',
      '--json',
    ],
    matches: (text) => /"card\d+"/i.test(text) && parseRocmJson(text) !== null,
    read: (text) => {
      const readings = parseRocmJson(text)
      return readings === null ? null : { readings }
    },
  },
  { ...amdSmi('static'), fallback: true },
  amdSmi('metric'),
  {
    command: 'rocminfo',
    answersTo: /rocminfo/,
    matches: (text) => /^\s*HSA Agents\s*$/m.test(text) || /^\s*Agent \d+\s*$/m.test(text),
    read: (text) => ({ readings: parseRocminfo(text) }),
  },
  {
    command: 'rocm-smi',
    answersTo: /rocm-smi\s*$/,
    matches: (text) => parseConcise(text).length > 0,
    read: (text) => ({ readings: parseConcise(text) }),
  },
  ...detectorCommands('amd'),
]

export function createAmdDriver(): ChipDriver {
  return {
    name: 'amd',
    layoutVerified: true,
    domestic: false,
    pciVendorIds: ['1002'],
    kubernetesResources: ['amd.com/gpu'],
    torchDevice: 'cuda',
    collectiveLibrary: 'rccl',
    sheets: amdSheets,
    ...createVendorTool({
      vendor: 'amd',
      tool: 'rocm-smi',
      candidates: ['/opt/rocm/bin/rocm-smi', '/usr/bin/rocm-smi', 'rocm-smi'],
      deviceFiles: /^kfd$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => `AMD GPU ${deviceId}`.trim(),
      // The security co-processor of every EPYC has the vendor id too.
      isChip: (func) => /^(?:03|12)/.test(func.classCode),
      commands,
    }),
    bind: (chips) => {
      const uuids = chips.map((chip) => /^(?:0x|GPU-)([0-9a-f]{8,16})$/i.exec(chip.uuid)?.[1] ?? null)
      const known = uuids.filter((uuid) => uuid !== null)
      const indices = chips.flatMap((chip) => chip.index ?? []).join(',')
      return {
        // Numbers mean another card as soon as the runtime sorts differently; identities do not.
        env:
          known.length === chips.length
            ? { ROCR_VISIBLE_DEVICES: known.map((uuid) => `GPU-${uuid}`).join(',') }
            : { HIP_VISIBLE_DEVICES: indices },
        devices: ['/dev/kfd', '/dev/dri'],
        mounts: [],
      }
    },
  }
}
