import type { ChipDriver } from '@medley/fleet'
import { sheet } from '../sheets.ts'
import { createVendorTool } from '../vendor-tool.ts'
import { parseTable } from './parse.ts'

/** The vendor's PCI id was not found in any public text: a card is found by its device file. */
export function createTsingmicroDriver(): ChipDriver {
  return {
    name: 'tsingmicro',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: [],
    kubernetesResources: [],
    torchDevice: 'txda',
    collectiveLibrary: null,
    sheets: [sheet('TX8110-64GB-PCIe', {}, null, 'third party', 'no compute figure found')],
    ...createVendorTool({
      vendor: 'tsingmicro',
      tool: 'tsm_smi',
      candidates: ['/usr/bin/tsm_smi', '/usr/local/bin/tsm_smi', '/usr/local/kuiper/bin/tsm_smi', 'tsm_smi'],
      deviceFiles: /^accel_drv_mgr$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: () => 'Tsingmicro RPU',
      commands: [
        {
          command: 'tsm_smi',
          answersTo: /tsm_smi/,
          args: [],
          matches: (text) => parseTable(text).length > 0,
          read: (text) => ({ readings: parseTable(text) }),
        },
      ],
    }),
    bind: (chips) => ({
      env: { TSINGMICRO_VISIBLE_DEVICES: chips.flatMap((chip) => chip.index ?? []).join(',') },
      devices: ['/dev/accel', '/dev/accel_drv_mgr'],
      mounts: [],
    }),
  }
}
