import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type AgentUpgrade, upgradeBytes } from '@medley/enrolment/protocol'
import { AppError } from '@medley/kernel'
import { z } from 'zod'
import { agentErrors } from '../errors.ts'
import { isSignedBy } from '../sync/keys.ts'
import { ENTRY, versionName } from './versions.ts'

/** An agent is a few MiB of JavaScript; its natives stay in the installation. */
const LARGEST_BUNDLE_BYTES = 64 * 2 ** 20
const LARGEST_UNPACKED_BYTES = 256 * 2 ** 20
const PATIENCE_MS = 300_000

/** Plain names in plain folders: nothing in a bundle can leave its version's folder. */
const fileName = z.string().regex(/^(?:[A-Za-z0-9_@-][A-Za-z0-9._@-]*\/){0,4}[A-Za-z0-9_@-][A-Za-z0-9._@-]*$/)

/** What `scripts/pack/agent-bundle.mjs` writes: this as JSON, gzipped. */
const bundle = z.object({
  format: z.literal('medley agent bundle 1'),
  version: versionName,
  files: z
    .array(z.object({ path: fileName, content: z.base64() }))
    .max(1_000)
    .refine((files) => files.some((file) => file.path === ENTRY), { error: `${ENTRY} is missing` }),
})

const unzip = promisify(gunzip)

/**
 * Fetches a version, makes sure that it is what the pinned instance signed, and puts it into its own folder, whole or
 * not at all. It does not run yet.
 *
 * @param modules the `node_modules` of the installation, in which the new version finds its natives
 * @throws `agent.upgrade.refused` with what is wrong, `agent.upgrade.failed` when it cannot be fetched or written
 */
export async function installUpgrade(
  upgrade: AgentUpgrade,
  place: {
    readonly serverUrl: string
    readonly instanceKey: string
    readonly directory: string
    readonly modules: string | null
  },
): Promise<void> {
  const { version } = upgrade
  const refuse = (reason: string) => agentErrors['upgrade.refused']({ version, reason })
  if (!versionName.safeParse(version).success) throw refuse('its name is none')
  if (!isSignedBy(place.instanceKey, upgradeBytes(upgrade), upgrade.signature))
    throw refuse('the server this node joined has not signed it')
  if (upgrade.bytes > LARGEST_BUNDLE_BYTES) throw refuse('it is too large')
  const server = new URL(place.serverUrl)
  const url = new URL(upgrade.path, server)
  if (url.origin !== server.origin) throw refuse('it is not on the server')
  try {
    const packed = await download(url, upgrade.bytes)
    const digest = createHash('sha256').update(packed).digest('hex')
    if (packed.length !== upgrade.bytes || digest !== upgrade.sha256) throw refuse('it is not what was signed')
    const read = bundle.safeParse(JSON.parse(String(await unzip(packed, { maxOutputLength: LARGEST_UNPACKED_BYTES }))))
    if (!read.success || read.data.version !== version) throw refuse('it is no bundle of that version')
    await unpack(read.data, place)
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw agentErrors['upgrade.failed']({ version, reason }, { cause })
  }
}

async function download(url: URL, bytes: number): Promise<Buffer> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE_MS) })
  if (!response.ok || response.body === null) throw new Error(`the server answered with status ${response.status}`)
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of response.body) {
    received += chunk.length
    // Not read on beyond what was promised, whatever is sent.
    if (received > bytes) break
    chunks.push(chunk)
  }
  return Buffer.concat(received > bytes ? [...chunks, Buffer.alloc(1)] : chunks)
}

async function unpack(
  { version, files }: z.infer<typeof bundle>,
  { directory, modules }: { readonly directory: string; readonly modules: string | null },
): Promise<void> {
  const draft = path.join(directory, `.${version}.${process.pid}`)
  await rm(draft, { recursive: true, force: true })
  for (const file of files) {
    const target = path.join(draft, file.path)
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
    await writeFile(target, Buffer.from(file.content, 'base64'), { mode: 0o600, flush: true })
  }
  // A junction needs no rights on Windows, and elsewhere is a link like any other.
  if (modules !== null) await symlink(modules, path.join(draft, 'node_modules'), 'junction')
  const target = path.join(directory, version)
  await rm(target, { recursive: true, force: true })
  await rename(draft, target)
}

/** The folder in which the program that runs now finds its natives; null where it has none. */
export async function modulesOf(program: string, native: string): Promise<string | null> {
  for (let folder = path.dirname(program); ; folder = path.dirname(folder)) {
    const modules = path.basename(folder) === 'node_modules' ? folder : path.join(folder, 'node_modules')
    if (existsSync(path.join(modules, native))) return realpath(modules)
    if (folder === path.dirname(folder)) return null
  }
}
