import type { ChipDriver } from '@medley/fleet'
import { createVendorTool, type VendorCommand } from '../vendor-tool.ts'
import { parseElements, parseProcesses } from './parse.ts'

function elements(verb: string): VendorCommand {
  return {
    command: `vasmi ${verb} --display-format=json`,
    answersTo: new RegExp(`vasmi ${verb}\\b`),
    args: [verb, '--display-format=json'],
    matches: (text) => parseElements(text).length > 0,
    read: (text) => ({ readings: parseElements(text) }),
  }
}

/**
 * Of this tool only a listing of processes was seen; the JSON that is asked for follows what public code reads of
 * it, so the layout counts as unverified.
 */
export function createVastaiDriver(): ChipDriver {
  return {
    name: 'vastai',
    layoutVerified: false,
    domestic: true,
    // The first is the registered one; the second was seen in public code.
    pciVendorIds: ['1ec6', '1edb'],
    kubernetesResources: ['vastaitech.com/va'],
    torchDevice: null,
    collectiveLibrary: null,
    sheets: [],
    ...createVendorTool({
      vendor: 'vastai',
      tool: 'vasmi',
      candidates: ['/usr/bin/vasmi', '/usr/local/bin/vasmi', 'vasmi'],
      deviceFiles: /^va_sync$|^vatools$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => `Vastai card ${deviceId}`.trim(),
      commands: [
        elements('summary'),
        elements('getmem'),
        elements('show'),
        {
          command: 'vasmi pmon --outputformat=csv',
          answersTo: /pmon/,
          matches: (text) => /^LoopTimes,.*PCIe_Bus_Id/im.test(text) || /\bAIC,.*PCIe_Bus_Id/i.test(text),
          read: (text) => ({ readings: parseProcesses(text) }),
        },
      ],
    }),
    bind: (chips) => ({
      env: {},
      devices: [
        '/dev/vatools',
        '/dev/va_sync',
        ...chips.flatMap((chip) => (chip.index === null ? [] : [`/dev/va${chip.index}`])),
      ],
      mounts: [],
    }),
  }
}
