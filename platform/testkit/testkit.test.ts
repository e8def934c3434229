import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort, startTestStore, tempDirectory, waitFor, withStore } from './index.ts'

describe('testkit', { timeout: 120_000 }, () => {
  it('gives each caller a database of its own on one server', async () => {
    const first = await startTestStore()
    const second = await startTestStore()
    expect(first.connection.host).toBe(second.connection.host)
    expect(first.connection.database).not.toBe(second.connection.database)
    await first.close()
    const { rows } = await second.store.pool.query('select 1 as one')
    expect(rows).toEqual([{ one: 1 }])
    await second.close()
    expect(existsSync(first.connection.host)).toBe(false)
  })

  it('starts a new server after the last one was closed', async () => {
    const { rows } = await withStore([], (store) => store.pool.query('select 2 as two'))
    expect(rows).toEqual([{ two: 2 }])
  })

  it('removes what a killed test run left', async () => {
    const abandoned = await mkdtemp(join(tmpdir(), 'medley-test-pg-2147483646-'))
    await withStore([], (store) => store.ping())
    expect(existsSync(abandoned)).toBe(false)
  })

  it('offers places and patience', async () => {
    let path = ''
    {
      await using directory = await tempDirectory()
      path = directory.path
      expect(existsSync(path)).toBe(true)
    }
    expect(existsSync(path)).toBe(false)
    expect(await freePort()).toBeGreaterThan(1024)
    await expect(waitFor('nothing', () => false, { timeoutMs: 30 })).rejects.toThrow('in vain for nothing')
    let calls = 0
    expect(await waitFor('the third call', () => (++calls === 3 ? 'here' : false))).toBe('here')
  })
})
