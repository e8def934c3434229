import { randomBytes } from 'node:crypto'
import { createIdFactory, type Id, systemScope, type TenantScope } from '@medley/kernel'
import { startTestStore, type TestStore, waitFor } from '@medley/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Audit, auditMigrations, createAudit, type NewAuditEntry } from './index.ts'

let test: TestStore
let audit: Audit
let nowMs = Date.UTC(2026, 10, 23)
const clock = { now: () => nowMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const system = systemScope('test')
const told: (string | null)[] = []

beforeAll(async () => {
  test = await startTestStore(auditMigrations)
  audit = createAudit({ store: test.store, ids, clock, onRecorded: (tenantId) => told.push(tenantId) })
}, 120_000)
afterAll(() => test?.close())

function tenant(): TenantScope {
  return { kind: 'tenant', tenantId: ids.next('tenant'), projectId: null, actor: { kind: 'user', id: 'u' } }
}

function entry(tenantId: Id<'tenant'> | null, fields: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    tenantId,
    actor: { kind: 'user', id: 'user_a' },
    action: 'node.revoke',
    subject: 'node_a',
    outcome: 'done',
    code: null,
    from: '10.0.0.9',
    detail: { reason: 'sold' },
    ...fields,
  }
}

describe('record', () => {
  it('keeps every field and tells who listens', async () => {
    const scope = tenant()
    const given = entry(scope.tenantId, { outcome: 'denied', code: 'enrolment.node.unknown' })
    await audit.record(given)
    const listed = await audit.list(scope, { after: null, limit: 10 })
    expect(listed).toEqual([{ ...given, id: expect.stringMatching(/^audit_/), at: new Date(nowMs) }])
    expect(told.at(-1)).toBe(scope.tenantId)
  })

  it('stores no secret and takes any text', async () => {
    const scope = tenant()
    const secret = 'S3cretS3cretS3cretS3cret'
    await audit.record(
      entry(scope.tenantId, {
        actor: { kind: 'anonymous', id: `mjt_abcdefghij_${secret}${secret}` },
        subject: 'half \ud800 a pair and \u0000',
        from: `https://u:${secret}@host/`,
        detail: {
          authorization: `Bearer ${secret}`,
          list: [{ webhookUrl: `https://h/${secret}` }],
          odd: '\u0000\udfff',
        },
      }),
    )
    const rows = await test.store
      .tables()
      .run(system, (tx) => sql<{ row: string }>`select audit_entries::text as row from audit_entries`.execute(tx))
    expect(JSON.stringify(rows.rows)).not.toContain(secret)
    expect(await audit.list(scope, { after: null, limit: 10 })).toHaveLength(1)
  })

  it('rejects where the store does, so that an unaudited act does not pass', async () => {
    const wrong = entry(null, { outcome: 'perhaps' as 'done' })
    await expect(audit.record(wrong)).rejects.toThrow(/outcome/)
  })
})

describe('recordIn', () => {
  it('is kept with the change or not at all', async () => {
    const scope = tenant()
    const failing = test.store.tables().run(scope, async (tx) => {
      await audit.recordIn(tx, entry(scope.tenantId))
      throw new Error('the change failed')
    })
    await expect(failing).rejects.toThrow('the change failed')
    expect(await audit.list(scope, { after: null, limit: 10 })).toEqual([])
    await test.store.tables().run(scope, (tx) => audit.recordIn(tx, entry(scope.tenantId)))
    expect(await audit.list(scope, { after: null, limit: 10 })).toHaveLength(1)
  })

  it('writes for no other tenant', async () => {
    const [own, other] = [tenant(), tenant()]
    const write = (tenantId: Id<'tenant'> | null) =>
      test.store.tables().run(own, (tx) => audit.recordIn(tx, entry(tenantId)))
    await expect(write(other.tenantId)).rejects.toThrow(/row-level security/)
    await expect(write(null)).rejects.toThrow(/row-level security/)
  })
})

describe('the table', () => {
  it.each([
    sql`update audit_entries set action = 'x'`,
    sql`delete from audit_entries`,
    sql`truncate audit_entries`,
    sql`update audit_entries set action = 'x' where false`,
  ])('refuses every change', async (statement) => {
    const scope = tenant()
    await audit.record(entry(scope.tenantId))
    for (const by of [system, scope]) {
      await expect(test.store.tables().run(by, (tx) => statement.execute(tx))).rejects.toThrow(/append-only/)
    }
    await expect(statement.execute(test.store.unscoped())).rejects.toThrow(/append-only/)
    expect(await audit.list(scope, { after: null, limit: 10 })).toHaveLength(1)
  })
})

describe('list', () => {
  it('pages newest first, each entry once, also among many of one moment', async () => {
    const scope = tenant()
    for (let index = 0; index < 23; index += 1) {
      if (index % 5 === 0) nowMs += 1_000
      await audit.record(entry(scope.tenantId, { subject: `s${index}` }))
    }
    const seen: string[] = []
    const times: number[] = []
    for (let after: string | null = null; ; ) {
      const page = await audit.list(scope, { after, limit: 4 })
      seen.push(...page.map(({ subject }) => subject ?? ''))
      times.push(...page.map(({ at }) => at.getTime()))
      if (page.length < 4) break
      after = page.at(-1)?.id ?? null
    }
    expect(new Set(seen).size).toBe(23)
    expect(seen).toHaveLength(23)
    expect(times).toEqual([...times].sort((left, right) => right - left))
  })

  it('filters by action, subject, outcome and time', async () => {
    const scope = tenant()
    const start = nowMs
    await audit.record(entry(scope.tenantId, { action: 'a.one', subject: 'x' }))
    nowMs += 1_000
    await audit.record(entry(scope.tenantId, { action: 'a.two', subject: 'x', outcome: 'denied' }))
    nowMs += 1_000
    await audit.record(entry(scope.tenantId, { action: 'a.two', subject: 'y' }))
    const subjects = async (filter: Omit<Parameters<Audit['list']>[1], 'after' | 'limit'>) =>
      (await audit.list(scope, { after: null, limit: 10, ...filter })).map(
        ({ action, subject }) => `${action} ${subject}`,
      )
    expect(await subjects({ action: 'a.two' })).toEqual(['a.two y', 'a.two x'])
    expect(await subjects({ subject: 'x' })).toEqual(['a.two x', 'a.one x'])
    expect(await subjects({ outcome: 'denied' })).toEqual(['a.two x'])
    expect(await subjects({ from: new Date(start), to: new Date(start + 1_000) })).toEqual(['a.one x'])
    expect(await subjects({ from: new Date(start + 1_000) })).toEqual(['a.two y', 'a.two x'])
  })

  it('finds by outcome and by action what is rare, for a tenant and for the centre, without walking the rest', async () => {
    const scope = tenant()
    await test.store.tables().run(system, (tx) =>
      sql`
        insert into audit_entries (id, at, tenant_id, actor_kind, actor_id, action, outcome, detail)
        select 'audit_bulk_' || n, timestamptz '2020-01-01Z' - n * interval '1 second',
          case when n % 2 = 0 then ${scope.tenantId} else 'tenant_of_many' end, 'user', 'u', 'chips.list', 'done', '{}'
        from generate_series(1, 20000) as n`.execute(tx),
    )
    await audit.record(entry(scope.tenantId, { action: 'rare.act', outcome: 'failed' }))
    await test.store.pool.query('analyze audit_entries')
    const used = async () => {
      const { rows } = await test.store.pool.query<{ name: string }>(
        "select indexrelname as name from pg_stat_user_indexes where relname = 'audit_entries' and idx_scan > 0",
      )
      return rows.map(({ name }) => name)
    }
    const wanted = ['refused', 'tenant_refused', 'action', 'tenant_action'].map((name) => `audit_entries_${name}`)
    // The store counts uses with a delay.
    await waitFor('all four indexes', async () => {
      for (const by of [system, scope])
        for (const filter of [{ outcome: 'failed' as const }, { action: 'rare.act' }])
          expect(await audit.list(by, { after: null, limit: 10, ...filter })).toHaveLength(1)
      const names = await used()
      return wanted.every((name) => names.includes(name))
    })
    expect(await used()).toEqual(expect.arrayContaining(wanted))
  })

  it('shows a tenant its own, the system all', async () => {
    const [own, other] = [tenant(), tenant()]
    await audit.record(entry(own.tenantId, { subject: 'own' }))
    await audit.record(entry(other.tenantId, { subject: 'other' }))
    await audit.record(entry(null, { subject: 'nobody' }))
    const subjects = (page: readonly { subject: string | null }[]) => page.map(({ subject }) => subject)
    expect(subjects(await audit.list(own, { after: null, limit: 10 }))).toEqual(['own'])
    const all = subjects(await audit.list(system, { after: null, limit: 1_000 }))
    expect(all).toEqual(expect.arrayContaining(['own', 'other', 'nobody']))
    const [foreign] = await audit.list(other, { after: null, limit: 1 })
    await expect(audit.list(own, { after: foreign?.id ?? '', limit: 10 })).rejects.toThrow(/audit.cursor.invalid/)
  })
})
