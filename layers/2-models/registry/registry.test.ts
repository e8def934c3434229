import { randomBytes } from 'node:crypto'
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIdFactory, systemScope, type TenantScope } from '@medley/kernel'
import { startTestStore, type TempDirectory, type TestStore, tempDirectory } from '@medley/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createRegistry,
  type FetchProgress,
  incomingDirectory,
  modelPath,
  type Registry,
  registryMigrations,
  starterModel,
} from './index.ts'
import { smallModel } from './testing/small-entry.ts'

const clock = { now: () => Date.now() }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const system = systemScope('test')
const aTenant = (): TenantScope => ({
  kind: 'tenant',
  tenantId: ids.next('tenant'),
  projectId: null,
  actor: { kind: 'user', id: 'u' },
})

const small = smallModel()
const path = () => modelPath(directory.path, small.entry)
let test: TestStore
let directory: TempDirectory
let registry: Registry

beforeEach(async () => {
  test = await startTestStore(registryMigrations)
  directory = await tempDirectory()
  registry = createRegistry({
    store: test.store,
    clock,
    ids,
    directory: directory.path,
    catalogue: [small.entry],
    fetch: { env: {}, sources: ['file'] },
  })
})
afterEach(async () => {
  await test?.close()
  await directory?.[Symbol.asyncDispose]()
})

async function offer(content = small.content): Promise<void> {
  await mkdir(incomingDirectory(directory.path), { recursive: true })
  await writeFile(join(incomingDirectory(directory.path), 'model.gguf'), content)
}

describe('ensureStarter', () => {
  it('fetches once, and afterwards does not even read the file', async () => {
    await offer()
    const first = await registry.ensureStarter()
    expect(first.fetched).toMatchObject({ source: 'file' })
    expect(first.model).toMatchObject({
      tenantId: null,
      name: 'small',
      digest: `sha256:${small.entry.file.sha256}`,
      bytes: 300_000,
      path: path(),
      state: 'ready',
      catalogueEntry: 'small',
    })
    const seen: FetchProgress[] = []
    expect(await registry.ensureStarter((each) => seen.push(each))).toEqual({ model: first.model, fetched: null })
    expect(seen).toEqual([])
  })

  it('checks the digest again when the file was touched, and fetches again when it changed', async () => {
    await offer()
    const first = await registry.ensureStarter()
    await utimes(path(), new Date(0), new Date(0))
    const touched = await registry.ensureStarter()
    expect(touched.fetched?.source).toBe('present')
    expect(touched.model).toMatchObject({ id: first.model.id, source: 'file' })
    await writeFile(path(), 'broken')
    expect((await registry.ensureStarter()).fetched?.source).toBe('file')
    expect((await readFile(path())).equals(small.content)).toBe(true)
    expect(await registry.list(system)).toHaveLength(1)
  })

  it('finds a model that another store left in the directory', async () => {
    await offer()
    await registry.ensureStarter()
    const fresh = await startTestStore(registryMigrations)
    try {
      const other = createRegistry({
        store: fresh.store,
        clock,
        ids,
        directory: directory.path,
        catalogue: [small.entry],
      })
      expect(await other.ensureStarter()).toMatchObject({
        fetched: { source: 'present' },
        model: { source: 'present' },
      })
    } finally {
      await fresh.close()
    }
  })

  it('records nothing when no source has the model, and works as soon as one has', async () => {
    await expect(registry.ensureStarter()).rejects.toMatchObject({ code: 'registry.model.unobtainable' })
    expect(await registry.list(system)).toEqual([])
    await offer()
    expect((await registry.ensureStarter()).model.state).toBe('ready')
  })

  it('is safe to call twice at once', async () => {
    await offer()
    const both = await Promise.all([registry.ensureStarter(), registry.ensureStarter()])
    expect(both[0].model.id).toBe(both[1].model.id)
    expect(await registry.list(system)).toHaveLength(1)
  })
})

describe('verify', () => {
  it('finds a rotten file that kept its size and time, and the next start mends it', async () => {
    await offer()
    await registry.ensureStarter()
    const when = new Date(1_000_000_000_000)
    await utimes(path(), when, when)
    expect((await registry.verify('small')).state).toBe('ready')
    await writeFile(path(), Buffer.alloc(small.content.length))
    await utimes(path(), when, when)
    expect((await registry.ensureStarter()).fetched).toBeNull()
    expect((await registry.verify('small')).state).toBe('damaged')
    expect((await registry.ensureStarter()).model.state).toBe('ready')
    expect((await readFile(path())).equals(small.content)).toBe(true)
  })

  it('does not know other names', async () => {
    await expect(registry.verify('other')).rejects.toMatchObject({ code: 'registry.model.not_found' })
  })
})

describe('tenants', () => {
  it('see the shared models and their own, and change neither the shared nor those of others', async () => {
    await offer()
    const { model } = await registry.ensureStarter()
    const [mine, theirs] = [aTenant(), aTenant()]
    const database = test.store.tables<{ models: Record<string, unknown> }>()
    const own = { ...row(), id: ids.next('model'), tenant_id: mine.tenantId, name: 'own' }
    await database.run(mine, (tx) => tx.insertInto('models').values(own).execute())

    expect((await registry.list(mine)).map((each) => each.name)).toEqual(['own', 'small'])
    expect((await registry.list(theirs)).map((each) => each.name)).toEqual(['small'])
    expect(await registry.get(theirs, own.id)).toBeNull()
    expect(await registry.get(theirs, model.id)).toEqual(model)

    const changed = await database.run(theirs, (tx) => tx.updateTable('models').set({ path: '/gone' }).execute())
    expect(changed[0]?.numUpdatedRows).toBe(0n)
    const shared = { ...row(), id: ids.next('model'), tenant_id: null, name: 'planted' }
    await expect(database.run(theirs, (tx) => tx.insertInto('models').values(shared).execute())).rejects.toThrow(
      'security',
    )
  })

  it('get their own model before a shared one of the same name', async () => {
    await offer()
    await registry.ensureStarter()
    const mine = aTenant()
    const own = { ...row(), id: ids.next('model'), tenant_id: mine.tenantId, name: 'small' }
    await test.store
      .tables<{ models: Record<string, unknown> }>()
      .run(mine, (tx) => tx.insertInto('models').values(own).execute())
    expect((await registry.get(mine, 'small'))?.id).toBe(own.id)
    expect((await registry.get(aTenant(), 'small'))?.tenantId).toBeNull()
  })
})

describe('the catalogue', () => {
  it('has the starter model with plain ChatML and no system prompt of its own', () => {
    const plain = createRegistry({ store: test.store, clock, ids, directory: directory.path })
    const entry = plain.entry('smollm2-135m-instruct')
    expect(entry).toBe(starterModel)
    expect(entry?.template).toMatchObject({ name: 'chatml', systemPrompt: null, stop: ['<|im_end|>'] })
    expect(entry?.template.text).not.toContain('system')
    expect(entry?.sources.map((source) => source.kind)).toEqual(['file', 'pip', 'modelscope', 'huggingface'])
    expect(plain.entry('other')).toBeNull()
  })
})

function row() {
  const now = new Date()
  return {
    display_name: 'Own',
    digest: `sha256:${'0'.repeat(64)}`,
    bytes: 1,
    path: '/own',
    source: 'file',
    catalogue_entry: null,
    state: 'ready',
    verified_mtime_ms: 0,
    created_at: now,
    verified_at: now,
  }
}
