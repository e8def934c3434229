/**
 * A real agent on a machine full of broken vendor tools. Joined beforehand in the directory given as the first
 * argument; prints nothing and sends its resident memory over IPC, until its parent is gone.
 */
import { agentLimits, createDriverHost, startAgent } from '@medley/agent'
import { createDrivers } from '@medley/drivers'
import type { DriverHost } from '@medley/fleet'
import { z } from 'zod'
import { residentBytes } from './processes.ts'

const task = z
  .object({ data: z.string(), run: z.string(), tools: z.string(), hostile: z.boolean() })
  .parse(JSON.parse(process.argv[2] ?? ''))

const DEVICES = '/sys/bus/pci/devices'
/** One accelerator of each maker on the bus: PCI vendor id, device id, class. */
const BUS = [
  ['10de', '2330', '030200'],
  ['19e5', 'd802', '120000'],
  ['cabc', '0370', '120000'],
  ['9999', '4000', '030200'],
  ['1ed5', '0323', '030000'],
  ['1e3e', '0001', '120000'],
  ['1d94', '54b7', '038000'],
  ['1002', '740f', '038000'],
].map(([vendor = '', device = '', kind = ''], index) => ({
  address: `0000:${(0x40 + index).toString(16)}:00.0`,
  files: { vendor: `0x${vendor}\n`, device: `0x${device}\n`, class: `0x${kind}\n`, numa_node: '0\n' } as const,
}))

const real = createDriverHost({ scratchDirectory: task.run, searchPath: task.tools })
const host: DriverHost = task.hostile
  ? {
      ...real,
      readDirectory: async (path) =>
        path === DEVICES ? BUS.map(({ address }) => address) : await real.readDirectory(path),
      readFile: async (path) => {
        const [, address, file] = /^\/sys\/bus\/pci\/devices\/([^/]+)\/(\w+)$/.exec(path) ?? []
        const found: Readonly<Record<string, string>> | undefined = BUS.find((each) => each.address === address)?.files
        return found === undefined ? await real.readFile(path) : (found[file ?? ''] ?? null)
      },
    }
  : real

await startAgent(
  {
    dataDirectory: task.data,
    runDirectory: task.run,
    limits: agentLimits.parse({ chipsIntervalMs: 2_000 }),
  },
  {
    drivers: createDrivers(),
    adapters: new Map(),
    prove: () => Promise.reject(new Error('nothing is measured here')),
    log: () => undefined,
    onFirstSync: () => process.send?.({ ready: true }, () => undefined),
    host,
  },
)
setInterval(() => process.send?.({ bytes: residentBytes(process.pid) }, () => undefined), 250)
process.on('disconnect', () => process.exit(0))
