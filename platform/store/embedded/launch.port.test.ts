import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createIdFactory, systemScope } from '@medley/kernel'
import { tempDirectory, waitFor } from '@medley/testkit'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import {
  appendEvent,
  createConsumer,
  embeddedConnection,
  migrate,
  openStore,
  preparePostgres,
  type StoreConnection,
  type StoredEvent,
  startEmbedded,
  storeMigrations,
} from '../index.ts'
import { binariesUnderTest } from '../port-servers.ts'
import { isReadableBy } from './process-user.ts'

const SYSTEM = systemScope('test')
const START_ONCE = fileURLToPath(new URL('./start-once.ts', import.meta.url))
const isRoot = process.getuid?.() === 0
const NOBODY = { uid: 65_534, gid: 65_534 }

interface Started {
  readonly child: ChildProcess
  readonly pid: number
  readonly connection: StoreConnection
}

async function startElsewhere(directory: string, account: { uid?: number; gid?: number } = {}): Promise<Started> {
  const child = spawn(process.execPath, [START_ONCE, directory], { stdio: ['pipe', 'pipe', 'inherit'], ...account })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await waitFor('the server', () => text.includes('\n') || child.exitCode !== null, { timeoutMs: 90_000 })
  const { pid, connection } = JSON.parse(text) as Omit<Started, 'child'>
  return { child, pid, connection }
}

/** A zombie, which a container's first process may never reap, holds nothing and counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

async function answer(connection: StoreConnection): Promise<unknown> {
  const store = openStore({ connection, maxConnections: 1 })
  try {
    return (await store.pool.query('select 1 as one')).rows[0]
  } finally {
    await store.close()
  }
}

describe('startEmbedded', { timeout: 180_000 }, () => {
  it('answers on a private socket only, with a password only, as a role that policies bind', async () => {
    await using folder = await tempDirectory()
    const directory = join(folder.path, 'postgres')
    const server = await startEmbedded({ directory })
    try {
      expect(await answer(await embeddedConnection(directory))).toEqual({ one: 1 })
      await expect(answer({ ...server.connection, password: 'wrong' })).rejects.toThrow('password')
      const store = openStore({ connection: server.connection })
      const { rows } = await store.pool.query(`
        select rolsuper, rolbypassrls, current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync
        from pg_roles where rolname = current_user`)
      await store.close()
      expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, tcp: '', fsync: 'on' }])
      expect((await stat(directory)).mode & 0o077).toBe(0)
      expect((await stat(join(directory, 'credentials.json'))).mode & 0o077).toBe(0)
      if (isRoot) expect((await stat(`/proc/${server.pid}`)).uid).not.toBe(0)
    } finally {
      await server.stop()
    }
    expect(isAlive(server.pid)).toBe(false)
  })

  it('works under a deep path, beyond what a socket path may be long', async () => {
    await using folder = await tempDirectory()
    const server = await startEmbedded({ directory: join(folder.path, 'a'.repeat(80), 'b'.repeat(80)) })
    try {
      expect(server.connection.host.length).toBeLessThan(90)
      expect(await answer(server.connection)).toEqual({ one: 1 })
    } finally {
      await server.stop()
    }
  })

  it('makes a cluster that a kill left half made again, and keeps a whole one', async () => {
    await using folder = await tempDirectory()
    const half = join(folder.path, 'cluster.new')
    await mkdir(half)
    await writeFile(join(half, 'PG_VERSION'), '18\n')
    const first = await startEmbedded({ directory: folder.path })
    await first.stop()
    const passwords = await readFile(join(folder.path, 'credentials.json'), 'utf8')
    expect(await readdir(folder.path)).not.toContain('cluster.new')
    const second = await startEmbedded({ directory: folder.path })
    expect(await answer(second.connection)).toEqual({ one: 1 })
    await second.stop()
    expect(await readFile(join(folder.path, 'credentials.json'), 'utf8')).toBe(passwords)
  })

  it('stops the server that a killed parent left behind, and never one whose parent lives', async () => {
    await using folder = await tempDirectory()
    const orphaned = await startElsewhere(folder.path)
    await expect(preparePostgres({ directory: folder.path })).rejects.toMatchObject({ code: 'store.in_use' })
    expect(await answer(orphaned.connection)).toEqual({ one: 1 })
    orphaned.child.kill('SIGKILL')
    await once(orphaned.child, 'exit')
    expect(isAlive(orphaned.pid)).toBe(true)
    const successor = await startEmbedded({ directory: folder.path })
    expect(isAlive(orphaned.pid)).toBe(false)
    expect(await answer(successor.connection)).toEqual({ one: 1 })
    await successor.stop()
  })

  it('is not misled by a process number that somebody else has got since', async () => {
    await using folder = await tempDirectory()
    const first = await startEmbedded({ directory: folder.path })
    const lock = await readFile(join(folder.path, 'cluster', 'postmaster.pid'), 'utf8')
    await first.stop()
    await writeFile(join(folder.path, 'cluster', 'postmaster.pid'), lock.replace(/^\d+/, String(process.pid)))
    await writeFile(join(folder.path, 'owner.json'), JSON.stringify({ pid: process.ppid, start: 'another time' }))
    const second = await startEmbedded({ directory: folder.path })
    expect(await answer(second.connection)).toEqual({ one: 1 })
    await second.stop()
  })

  it.runIf(isRoot && isReadableBy(import.meta.dirname, NOBODY))('runs for an ordinary user as well', async () => {
    await using folder = await tempDirectory()
    await chmod(folder.path, 0o777)
    const started = await startElsewhere(join(folder.path, 'home'), NOBODY)
    expect((await stat(`/proc/${started.pid}`)).uid).toBe(NOBODY.uid)
    started.child.stdin?.end()
    await once(started.child, 'exit')
    expect(isAlive(started.pid)).toBe(false)
    // And root takes over what a user made, as that user.
    const server = await startEmbedded({ directory: join(folder.path, 'home') })
    expect((await stat(`/proc/${server.pid}`)).uid).toBe(NOBODY.uid)
    await server.stop()
  })
})

describe('an outbox consumer', { timeout: 180_000 }, () => {
  it('listens again after the server was away, without waiting for its poll', async () => {
    await using folder = await tempDirectory()
    const options = { directory: folder.path, durable: false }
    const first = await startEmbedded(options)
    const store = openStore({ connection: first.connection, patienceMs: 60_000 })
    await migrate(store, storeMigrations)
    const clock = { now: Date.now }
    const deps = { clock, ids: createIdFactory(clock, randomBytes) }
    const subjects: string[] = []
    const append = (subject: string) =>
      store.tables().run(SYSTEM, (tx) => {
        const actor = { kind: 'system', id: 'test' }
        const origin = { tenantId: null, actor, causationId: null, correlationId: null, occurredAt: new Date() }
        return appendEvent(tx, deps, { type: 'test.thing.changed', version: 1, subject, payload: null, ...origin })
      })
    const handle = (event: StoredEvent) => Promise.resolve(void subjects.push(event.subject))
    const consumer = createConsumer({ store, name: 'listener', pollMs: 3_600_000, handle })
    consumer.start()
    await append('before')
    await waitFor('the first event', () => subjects.includes('before'))
    await first.stop()
    // Long enough for a failed attempt to connect.
    await delay(1_500)
    const second = await startEmbedded(options)
    await append('after')
    await waitFor('the second event', () => subjects.includes('after'))
    expect(subjects).toEqual(['before', 'after'])
    await consumer.stop()
    await store.close()
    await second.stop()
  })
})

describe('isReadableBy', () => {
  it('minds every folder above and the target of a link', async () => {
    await using folder = await tempDirectory()
    const inner = join(folder.path, 'inner')
    await mkdir(inner, { mode: 0o755 })
    await symlink(inner, join(folder.path, 'link'))
    expect(isReadableBy(inner, NOBODY)).toBe(false)
    await chmod(folder.path, 0o755)
    expect(isReadableBy(inner, NOBODY)).toBe(true)
    await chmod(inner, 0o700)
    expect(isReadableBy(join(folder.path, 'link'), NOBODY)).toBe(false)
    expect((await lstat(join(folder.path, 'link'))).isSymbolicLink()).toBe(true)
  })
})

describe.each(binariesUnderTest)('a killed server ($name)', { timeout: 300_000 }, ({ binaries }) => {
  it('comes back with every acknowledged row, and the same store goes on with it', async () => {
    await using folder = await tempDirectory()
    await chmod(folder.path, 0o711)
    const directory = join(folder.path, 'postgres')
    await mkdir(directory, { mode: 0o711 })
    const options = { directory, ...(binaries === null ? {} : { binaries }) }
    let server = await startEmbedded(options)
    const store = openStore({ connection: server.connection, maxConnections: 5, patienceMs: 60_000 })
    await store.pool.query('create table rows (id int primary key)')
    const db = store.tables<{ rows: { id: number } }>()
    const acknowledged: number[] = []
    let next = 0
    let isOver = false
    const writer = async (): Promise<void> => {
      while (!isOver) {
        next += 1
        const id = next
        await db
          .run(SYSTEM, (tx) => tx.insertInto('rows').values({ id }).execute())
          .then(
            () => acknowledged.push(id),
            // Killed in the middle: nobody was told that it was done.
            () => undefined,
          )
      }
    }
    const writers = [1, 2, 3].map(writer)
    for (let round = 1; round <= 3; round += 1) {
      const before = acknowledged.length
      await waitFor('some rows', () => acknowledged.length > before + 50)
      process.kill(server.pid, 'SIGKILL')
      await delay(20)
      server = await startEmbedded(options)
    }
    const before = acknowledged.length
    await waitFor('rows after the last recovery', () => acknowledged.length > before + 10)
    isOver = true
    await Promise.all(writers)
    const { rows } = await db.run(SYSTEM, (tx) => sql<{ id: number }>`select id from rows`.execute(tx))
    const kept = new Set(rows.map((row) => row.id))
    expect(acknowledged.length).toBeGreaterThan(160)
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
    await store.close()
    await server.stop()
  })
})
