import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createIdFactory, type Id } from '@medley/kernel'
import { z } from 'zod'
import { identityErrors } from '../errors.ts'

const secretText = z.string().regex(/^[0-9a-f]{64}$/)

const secretsFile = z.object({
  /** Keys the hashes of API keys: a stolen table alone cannot be searched for a key. */
  pepper: secretText,
  /** Between the processes of this factory. */
  internalToken: secretText,
  /** Signs session cookies. */
  authSecret: secretText,
  /** The local operator's pass for the command line: whoever may read this file owns the machine anyway. */
  operatorToken: secretText,
})
export type InstanceSecrets = z.infer<typeof secretsFile>

const instanceFile = z.object({
  id: z.custom<Id<'inst'>>((value) => typeof value === 'string' && value.startsWith('inst_')),
  createdAt: z.iso.datetime(),
  publicKey: z.string(),
})

/** What makes this installation itself: its name, its signing key and its secrets. */
export interface Instance {
  readonly id: Id<'inst'>
  readonly createdAt: string
  /** SPKI, PEM. */
  readonly publicKey: string
  readonly secrets: InstanceSecrets
  /** Ed25519 (RFC 8032), 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array
  verify(bytes: Uint8Array, signature: Uint8Array): boolean
}

/**
 * Opens `<dataDirectory>/instance`, made at the first start by one rename of a finished folder: never half. Two
 * first starts at once agree on one.
 *
 * @throws identity.instance.damaged when a file is missing or not as written.
 */
export async function openInstance(dataDirectory: string): Promise<Instance> {
  const directory = join(dataDirectory, 'instance')
  if ((await lstat(directory).catch(() => null)) === null) await create(dataDirectory, directory)
  try {
    const facts = instanceFile.parse(await readJson(join(directory, 'instance.json')))
    const secrets = secretsFile.parse(await readJson(join(directory, 'secrets.json')))
    const privateKey = createPrivateKey(await readFile(join(directory, 'signing-key.pem'), 'utf8'))
    const publicKey = createPublicKey(privateKey)
    if (toPem(publicKey) !== facts.publicKey) throw new TypeError('the key pair does not match')
    return {
      ...facts,
      secrets,
      sign: (bytes) => sign(null, bytes, privateKey),
      verify: (bytes, signature) => verify(null, bytes, publicKey, signature),
    }
  } catch (cause) {
    throw identityErrors['instance.damaged']({ directory }, { cause })
  }
}

async function create(dataDirectory: string, directory: string): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const draft = `${directory}.${process.pid}-${randomBytes(4).toString('hex')}`
  await mkdir(draft, { mode: 0o700 })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const secret = (): string => randomBytes(32).toString('hex')
  const id = createIdFactory({ now: Date.now }, randomBytes).next('inst')
  const facts = { id, createdAt: new Date().toISOString(), publicKey: toPem(publicKey) }
  const secrets: InstanceSecrets = {
    pepper: secret(),
    internalToken: secret(),
    authSecret: secret(),
    operatorToken: secret(),
  }
  await writeSynced(join(draft, 'instance.json'), JSON.stringify(facts, null, 2))
  await writeSynced(join(draft, 'secrets.json'), JSON.stringify(secrets, null, 2))
  await writeSynced(join(draft, 'signing-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  await syncDirectory(draft)
  await rename(draft, directory).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true })
    // A folder that is not empty cannot be replaced: another first start was quicker, and its instance stands.
    if ((await lstat(directory).catch(() => null)) === null) throw error
  })
  await syncDirectory(dataDirectory)
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'))
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync()
  await directory.close()
}
