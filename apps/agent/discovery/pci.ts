import type { DriverHost, PciFunction } from '@medley/fleet'

const ROOT = '/sys/bus/pci/devices'

/**
 * Classes under which accelerators appear: display (03), processing accelerator (12), co-processor (0b40) and
 * communication controller (0780). The vendor id decides; the class only drops audio functions and bridges.
 */
const CLASSES = [/^03/, /^12/, /^0b40/, /^0780/]

/** The console chip of server boards: a display adapter that computes nothing. */
const BOARD_CONSOLES = new Set(['1a03'])

/**
 * Every function `.0` on the bus that may be an accelerator; needs no rights and works without any driver. Virtual
 * functions (SR-IOV) are no cards beside their physical one. A virtual machine that was given one sees no physical
 * function: there it is the card.
 */
export async function readPci(host: DriverHost): Promise<readonly PciFunction[]> {
  const addresses = await host.readDirectory(ROOT)
  const inSight = new Set(addresses)
  const found = await Promise.all(addresses.map((address) => readFunction(host, address, inSight)))
  return found.filter((func) => func !== null)
}

async function readFunction(
  host: DriverHost,
  address: string,
  inSight: ReadonlySet<string>,
): Promise<PciFunction | null> {
  if (!/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.0$/.test(address)) return null
  const read = async (name: string): Promise<string | null> =>
    (await host.readFile(`${ROOT}/${address}/${name}`))?.trim() ?? null
  const [vendor, device, classCode, node] = await Promise.all(['vendor', 'device', 'class', 'numa_node'].map(read))
  const vendorId = hex(vendor)
  const code = hex(classCode)
  if (vendorId === null || code === null || BOARD_CONSOLES.has(vendorId)) return null
  if (!CLASSES.some((pattern) => pattern.test(code))) return null
  if (await isVirtual(host, address, inSight)) return null
  // The kernel prints -1 where the firmware does not say: unknown.
  const numaNode = node && /^\d{1,5}$/.test(node) ? Number(node) : null
  return { address, vendorId, deviceId: hex(device) ?? '', classCode: code, numaNode }
}

/** `physfn` of a virtual function is a link to its physical one; `uevent` there names that one's address. */
async function isVirtual(host: DriverHost, address: string, inSight: ReadonlySet<string>): Promise<boolean> {
  const entries = await host.readDirectory(`${ROOT}/${address}`)
  if (!entries.includes('physfn')) return false
  const said = /^PCI_SLOT_NAME=(\S+)$/m.exec((await host.readFile(`${ROOT}/${address}/physfn/uevent`)) ?? '')?.[1]
  return said === undefined || inSight.has(said)
}

function hex(raw: string | null | undefined): string | null {
  return /^0x([0-9a-f]{2,8})$/i.exec(raw ?? '')?.[1]?.toLowerCase() ?? null
}
