import type { ChipDriver, PciFunction } from '@medley/fleet'
import { chipOf } from '../outputs.ts'

/** Makers whose chips are found but whose tool nobody here has seen; ids as registered or seen in public code. */
const MAKERS: Readonly<Record<string, string>> = {
  '1ecc': 'Sunrise',
  '1faa': 'Hexaflake',
  '1fbd': 'Enrigin',
  '10ee': 'Xilinx',
  '1d0f': 'Amazon',
  '1ed2': 'FuriosaAI',
  '1e52': 'Tenstorrent',
}

/** Consoles of servers and virtual machines: display adapters that compute nothing. */
const CONSOLES = new Set(['1a03', '102b', '1af4', '1b36', '15ad', '1013', '1414', '1234', '80ee', '5333', '18ca'])

/** Processing accelerators, 3D controllers and display controllers without a screen. */
const ACCELERATORS = /^(?:12|0302|0380)/

/**
 * Accelerators that no other driver claims: shown with their place on the bus and nothing else, so that an operator
 * sees that there is a card and that its maker's parser is missing. `claimed` are the vendor ids of the others.
 */
export function createUnknownDriver(claimed: ReadonlySet<string>): ChipDriver {
  return {
    name: 'unknown',
    layoutVerified: false,
    domestic: null,
    pciVendorIds: ['*'],
    kubernetesResources: [],
    torchDevice: null,
    collectiveLibrary: null,
    sheets: [],
    read: async (_host, pci) => pci.filter((func) => isUnclaimed(func, claimed)).map(chipOfFunction),
    bind: () => ({ env: {}, devices: [], mounts: [] }),
    recognise: () => null,
    parseOutput: (text, command) => ({ command: command ?? null, chips: [], facts: {}, raw: text.slice(0, 65_536) }),
  }
}

function isUnclaimed({ vendorId, classCode }: PciFunction, claimed: ReadonlySet<string>): boolean {
  return ACCELERATORS.test(classCode) && !claimed.has(vendorId) && !CONSOLES.has(vendorId)
}

function chipOfFunction(func: PciFunction) {
  const maker = MAKERS[func.vendorId] ?? null
  const id = `${func.vendorId}:${func.deviceId}`
  return chipOf({
    vendor: 'unknown',
    product: `${maker ?? 'Unknown accelerator'} ${id}`,
    pciAddress: func.address,
    numaNode: func.numaNode,
    health: 'unknown',
    healthReasons: [{ code: 'no-parser', params: { id } }],
    extra: { maker, pciId: id },
  })
}
