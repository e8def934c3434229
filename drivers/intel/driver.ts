import type { ChipDriver } from '@medley/fleet'
import { createVendorTool, type VendorCommand } from '../vendor-tool.ts'
import { parseDiscovery, parseDiscoveryTable, parseDump, parseStats } from './parse.ts'

const commands: readonly VendorCommand[] = [
  {
    command: 'xpu-smi discovery -j',
    answersTo: /discovery/,
    args: ['discovery', '-j'],
    matches: (text) => parseDiscovery(text).length > 0,
    read: (text) => ({ readings: text.includes('|') ? parseDiscoveryTable(text) : parseDiscovery(text) }),
  },
  {
    command: 'xpu-smi dump',
    answersTo: /dump/,
    args: ['dump', '-d', '-1', '-m', '0,1,3,18', '-n', '1'],
    matches: (text) => /^Timestamp,\s*DeviceId/im.test(text),
    read: (text) => ({ readings: parseDump(text) }),
  },
  {
    command: 'xpu-smi stats -j',
    answersTo: /stats/,
    matches: (text) => parseStats(text).length > 0,
    read: (text) => ({ readings: parseStats(text) }),
  },
  {
    command: 'xpu-smi discovery',
    answersTo: /discovery\s*$/,
    matches: (text) => parseDiscoveryTable(text).length > 0,
    read: (text) => ({ readings: parseDiscoveryTable(text) }),
  },
]

/** No real output could be found: names of fields are from the tool's public manual. Another vendor's tool has the
 * same name; this one is run only where a card of this vendor is on the bus. */
export function createIntelDriver(): ChipDriver {
  return {
    name: 'intel',
    layoutVerified: false,
    domestic: false,
    pciVendorIds: ['8086'],
    kubernetesResources: ['gpu.intel.com/i915', 'gpu.intel.com/xe'],
    torchDevice: 'xpu',
    collectiveLibrary: 'oneccl',
    sheets: [],
    ...createVendorTool({
      vendor: 'intel',
      tool: 'xpu-smi',
      candidates: ['/usr/bin/xpu-smi', '/usr/local/bin/xpu-smi', 'xpu-smi', 'xpumcli'],
      // Without the bus nobody knows whose render node it is.
      deviceFiles: /^$/,
      kernelDrivers: /^(?!vfio|pci-stub|uio)/,
      productOf: (deviceId) => `Intel GPU ${deviceId}`.trim(),
      // Display adapters only, and not the one inside the processor, which always sits at this place.
      isChip: (func) => func.classCode.startsWith('03') && !func.address.endsWith('00:02.0'),
      commands,
    }),
    bind: (chips) => ({
      env: { ZE_AFFINITY_MASK: chips.flatMap((chip) => chip.index ?? []).join(',') },
      devices: ['/dev/dri'],
      mounts: [],
    }),
  }
}
