import { randomBytes } from 'node:crypto'
import { createIdFactory, type Id, type TenantScope } from '@medley/kernel'
import { createConsumer, type StoredEvent, storeMigrations } from '@medley/store'
import { startTestStore, type TestStore, waitFor } from '@medley/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPeople } from '../people.ts'
import { identityMigrations } from '../tables.ts'
import { type ApiKeys, createApiKeys } from './api-keys.ts'
import { hashKey, matchesHash, newKeyText, prefixOf } from './key-text.ts'

const PEPPER = 'ab'.repeat(32)
const PLAIN = { name: 'laptop', scopes: ['inference'], expiresAt: null }

let test: TestStore
let keys: ApiKeys
let mine: TenantScope
let other: TenantScope
const time = { now: Date.now() }

beforeAll(async () => {
  test = await startTestStore(storeMigrations, identityMigrations)
  const clock = { now: () => time.now }
  const ids = createIdFactory(clock, randomBytes)
  keys = createApiKeys({ store: test.store, pepper: PEPPER, ids, clock, randomBytes })
  const people = createPeople({ store: test.store, ids, clock })
  mine = scopeOf(await people.bootstrap())
  const tenantId = ids.next('tenant')
  const insert = `insert into auth_organizations (id, name, slug, "createdAt") values ($1, 'other', 'other', now())`
  await test.store.pool.query(insert, [tenantId])
  other = scopeOf({ tenantId, projectId: await people.addProject(tenantId) })
}, 120_000)

afterAll(() => test.close())

function scopeOf({ tenantId, projectId }: { tenantId: Id<'tenant'>; projectId: Id<'project'> }): TenantScope {
  return { kind: 'tenant', tenantId, projectId, actor: { kind: 'user', id: 'user_test' } }
}

describe('key text', () => {
  it('is found by its prefix and matches only its own hash', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (stream) => {
        const { key, prefix } = newKeyText((size) => Uint8Array.from({ length: size }, () => stream.next().value))
        const last = key.endsWith('0') ? '1' : '0'
        const hash = hashKey(PEPPER, key)
        expect(key).toMatch(/^mk_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}$/)
        expect(prefixOf(key)).toBe(prefix)
        expect(matchesHash(PEPPER, key, hash)).toBe(true)
        expect(matchesHash(PEPPER, key.slice(0, -1) + last, hash)).toBe(false)
        expect(matchesHash(`${PEPPER}0`, key, hash)).toBe(false)
      }),
    )
    expect(prefixOf('mk_short_secret')).toBeNull()
    expect(matchesHash(PEPPER, 'anything', 'not hex')).toBe(false)
  })
})

describe('API keys', { timeout: 60_000 }, () => {
  it('are shown once and stored as a keyed hash', async () => {
    const { key, record } = await keys.create(mine, PLAIN)
    expect(record).toMatchObject({ name: 'laptop', prefix: prefixOf(key), revokedAt: null, lastUsedAt: null })
    const unscoped = await test.store.pool.query('select * from api_keys')
    expect(unscoped.rows).toEqual([])
    const snapshot = await keys.snapshotKeys()
    expect(snapshot.keys.find((entry) => entry.id === record.id)).toEqual({
      id: record.id,
      prefix: record.prefix,
      hash: hashKey(PEPPER, key),
      tenantId: mine.tenantId,
      projectId: mine.projectId,
      scopes: ['inference'],
      expiresAt: null,
    })
    expect(await keys.verifyKey(key)).toMatchObject({ id: record.id })
    expect(await keys.verifyKey(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)).toBeNull()
    expect(await keys.verifyKey('sk-something-else')).toBeNull()
  })

  it('of another tenant can be neither seen nor revoked', async () => {
    const { record } = await keys.create(other, PLAIN)
    const { items } = await keys.list(mine, { cursor: null, limit: 100 })
    expect(items.map((item) => item.id)).not.toContain(record.id)
    await expect(keys.revoke(mine, record.id)).rejects.toMatchObject({ code: 'identity.key.not_found' })
    const mixed = { ...mine, projectId: other.projectId }
    await expect(keys.create(mixed, PLAIN)).rejects.toThrow()
  })

  it('stop at once when revoked or expired, and raise the revision', async () => {
    const { key, record } = await keys.create(mine, PLAIN)
    const short = await keys.create(mine, { ...PLAIN, expiresAt: new Date(time.now + 1_000) })
    const before = await keys.snapshotKeys()
    const revoked = await keys.revoke(mine, record.id)
    expect((await keys.revoke(mine, record.id)).revokedAt).toEqual(revoked.revokedAt)
    time.now += 2_000
    const after = await keys.snapshotKeys()
    const held = after.keys.map((entry) => entry.id)
    expect(after.revision).toBe(before.revision + 1)
    expect(held).not.toContain(record.id)
    expect(held).not.toContain(short.record.id)
    expect(await keys.verifyKey(key)).toBeNull()
    expect(await keys.verifyKey(short.key)).toBeNull()
  })

  it('get a revision each, also when many are made at once', async () => {
    const before = (await keys.snapshotKeys()).revision
    await Promise.all(Array.from({ length: 20 }, () => keys.create(mine, PLAIN)))
    expect((await keys.snapshotKeys()).revision).toBe(before + 20)
  })

  it('are listed newest first, page by page, each once', async () => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page = await keys.list(mine, { cursor, limit: 7 })
      seen.push(...page.items.map((item) => item.id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen.length).toBeGreaterThan(20)
    expect(seen).toEqual([...new Set(seen)].sort().reverse())
  })

  it('remember their latest use only', async () => {
    time.now += 1
    const { record } = await keys.create(mine, PLAIN)
    const [early, late] = [new Date(time.now + 10), new Date(time.now + 20)]
    const use = (at: Date) => ({ keyId: record.id, at })
    await keys.recordUse([use(early), use(late), { keyId: 'key_gone', at: late }])
    await keys.recordUse([use(early)])
    const { items } = await keys.list(mine, { cursor: null, limit: 1 })
    expect(items[0]).toMatchObject({ id: record.id, lastUsedAt: late })
  })

  it('are refused without a project, a name, a scope or a future', async () => {
    const code = (name: string) => ({ code: `identity.key.${name}` })
    await expect(keys.create({ ...mine, projectId: null }, PLAIN)).rejects.toMatchObject(code('project_missing'))
    for (const wrong of [
      { name: ' ' },
      { scopes: [] },
      { expiresAt: new Date(0) },
      { expiresAt: new Date(Number.NaN) },
    ]) {
      await expect(keys.create(mine, { ...PLAIN, ...wrong })).rejects.toMatchObject(code('invalid'))
    }
  })

  it('tell the outbox, without any secret', async () => {
    const events: StoredEvent[] = []
    const consumer = createConsumer({
      store: test.store,
      name: 'test-keys',
      types: ['identity.key.created', 'identity.key.revoked'],
      handle: (event) => Promise.resolve(void events.push(event)),
    })
    const { key, record } = await keys.create(mine, PLAIN)
    await keys.revoke(mine, record.id)
    const told = await waitFor('two events', async () => {
      await consumer.drain()
      const about = events.filter((event) => event.subject === record.id)
      return about.length === 2 && about
    })
    expect(told.map((event) => event.type)).toEqual(['identity.key.created', 'identity.key.revoked'])
    expect(told[0]).toMatchObject({ subject: record.id, tenantId: mine.tenantId, actor: mine.actor })
    expect(JSON.stringify(events.map((event) => event.payload))).not.toContain(key)
  })
})
