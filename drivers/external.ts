import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ChipDriver } from '@medley/fleet'
import { z } from 'zod'
import { parseBoxTable } from './box-table.ts'
import { dmonReadings } from './dmon.ts'
import { flatten, parseLooseJson } from './json-paths.ts'
import { topologyCommand } from './listing.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, parseCsv, textOrNull } from './parsing.ts'
import { parseQueryCsv } from './query-csv.ts'
import { readingOf } from './reading.ts'
import { logReadings } from './smi-log.ts'
import { createVendorTool } from './vendor-tool.ts'

/** What a driver outside this folder builds with. Handed in, so that it imports nothing and runs in any installation. */
const kit = {
  createVendorTool,
  topologyCommand,
  readingOf,
  parseBoxTable,
  parseCsv,
  parseQueryCsv,
  dmonReadings,
  logReadings,
  parseLooseJson,
  flatten,
  textOrNull,
  countOrNull,
  numberOrNull,
  bytesOrNull,
  normalizePciAddress,
}
export type DriverKit = typeof kit

const FILES = ['driver.mjs', 'driver.js', 'driver.ts']

const anyFunction = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === 'function',
  'must be a function',
)

/** Checked because it was written by somebody else: a driver without `read` would fail at the first round only. */
const driverShape = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, 'must be lower-case letters, digits and dashes'),
  layoutVerified: z.boolean(),
  domestic: z.boolean().nullable(),
  pciVendorIds: z.array(z.string().regex(/^[0-9a-f]{4}$/, 'must be four lower-case hexadecimal digits')),
  kubernetesResources: z.array(z.string()),
  torchDevice: z.string().nullable(),
  collectiveLibrary: z.string().nullable(),
  sheets: z.array(
    z.object({
      product: z.string().min(1),
      peaks: z.array(z.object({ dtype: z.string(), teraops: z.number().positive(), sparse: z.boolean() })),
      bandwidthBytesPerSecond: z.number().positive().nullable(),
      source: z.string().min(1),
      confidence: z.enum(['high', 'medium', 'low']),
    }),
  ),
  read: anyFunction,
  bind: anyFunction,
  recognise: anyFunction,
  parseOutput: anyFunction,
})

const driverModule = z.object({ createDriver: anyFunction })

export interface LoadedDrivers {
  readonly drivers: readonly ChipDriver[]
  /** Folders of which no driver could be made, and why. */
  readonly failures: readonly { readonly folder: string; readonly message: string }[]
}

/** What drivers that are loaded may not use a second time. */
interface Taken {
  readonly names: readonly string[]
  readonly pciVendorIds: readonly string[]
}

/** As `loadDrivers` of this package says. */
export async function loadDriversIn(directory: string, given: Taken): Promise<LoadedDrivers> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const folders = entries.filter((each) => each.isDirectory() || each.isSymbolicLink())
  const drivers: ChipDriver[] = []
  const failures: { folder: string; message: string }[] = []
  for (const entry of folders.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    try {
      if (entry.isSymbolicLink()) throw new Error('it is a link: put the folder itself here')
      await requireOwnAround(directory, entries)
      const driver = await loadDriver(path.join(directory, entry.name))
      requireFree(driver, {
        names: [...given.names, ...drivers.map(({ name }) => name)],
        pciVendorIds: [...given.pciVendorIds, ...drivers.flatMap(({ pciVendorIds }) => pciVendorIds)],
      })
      drivers.push(driver)
    } catch (error) {
      failures.push({ folder: entry.name, message: error instanceof z.ZodError ? firstIssue(error) : messageOf(error) })
    }
  }
  return { drivers, failures }
}

/** Two drivers of one card would show it twice. */
function requireFree(driver: ChipDriver, taken: Taken): void {
  if (taken.names.includes(driver.name)) throw new Error(`the name ${driver.name} is taken`)
  const claimed = driver.pciVendorIds.find((id) => taken.pciVendorIds.includes(id))
  if (claimed !== undefined) throw new Error(`the PCI vendor ${claimed} is another driver's`)
}

async function loadDriver(folder: string): Promise<ChipDriver> {
  await requireAllOwn(folder, folder)
  const names = await readdir(folder)
  const file = FILES.find((name) => names.includes(name))
  if (file === undefined) throw new Error(`none of ${FILES.join(', ')} is in it`)
  const { createDriver } = driverModule.parse({ ...(await import(pathToFileURL(path.join(folder, file)).href)) })
  const made = (createDriver as (given: DriverKit) => unknown)(kit)
  driverShape.parse(made)
  return made as ChipDriver
}

/** Whoever may write here may put another folder in a driver's place, or change a module that several drivers import. */
async function requireOwnAround(directory: string, entries: readonly Dirent[]): Promise<void> {
  await requireOwn(directory)
  for (const entry of entries) if (entry.isFile()) await requireOwn(path.join(directory, entry.name))
}

/** The driver may import anything beside it, so all of it is looked at. A link may lead to what lies beside it only. */
async function requireAllOwn(place: string, folder: string): Promise<void> {
  await requireOwn(place)
  for (const entry of await readdir(place, { withFileTypes: true })) {
    const within = path.join(place, entry.name)
    if (entry.isDirectory()) await requireAllOwn(within, folder)
    else if (!entry.isSymbolicLink()) await requireOwn(within)
    else if (!(await realpath(within)).startsWith((await realpath(folder)) + path.sep))
      throw new Error(`the link ${entry.name} leads out of it`)
  }
}

/** What others may write would be run here with this process's rights. The place itself, where it is a link to it. */
async function requireOwn(place: string): Promise<void> {
  if (process.getuid === undefined) return
  const { uid, mode } = await stat(place)
  if (uid !== process.getuid() && uid !== 0) throw new Error(`${path.basename(place)} belongs to another user`)
  if ((mode & 0o022) !== 0) throw new Error(`others may write to ${path.basename(place)}: chmod go-w`)
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined ? error.message : `${issue.path.join('.')}: ${issue.message}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
