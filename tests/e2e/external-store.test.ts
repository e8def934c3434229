import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedPostgres, startEmbedded } from '@medley/store'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningFactory, startFactory } from '../factory.ts'
import { eventually, observe } from './observer.ts'

const DEBIAN_15 = '/usr/lib/postgresql/15/bin'
const MODEL = 'smollm2-135m-instruct'

describe('a factory on somebody else’s PostgreSQL 15', { timeout: 180_000 }, () => {
  if (!existsSync(join(DEBIAN_15, 'postgres'))) {
    it.skip(`NOT RUN: Debian's PostgreSQL 15 is not in ${DEBIAN_15}`, () => expect.fail('not run'))
    return
  }
  let directory: string
  let postgres: EmbeddedPostgres
  let factory: RunningFactory

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'medley-external-'))
    // Under root a server older than 16 must be able to walk to its cluster.
    await chmod(directory, 0o711)
    postgres = await startEmbedded({
      directory,
      durable: false,
      binaries: { binDirectory: DEBIAN_15, libraryDirectory: null, majorVersion: 15 },
    })
    const { user, password, host, database } = postgres.connection
    const url = `postgresql://${user}:${password}@/${database}?host=${encodeURIComponent(host)}`
    factory = await startFactory({ args: ['--no-proving'], env: { DATABASE_URL: url } })
  }, 300_000)

  afterAll(async () => {
    await factory.stop()
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }, 120_000)

  it('becomes ready, answers and keeps its usage there', async () => {
    const observer = observe(factory)
    const status = await observer.status()
    expect(status).toMatchObject({ ready: true, store: { kind: 'external' } })
    expect(status.store.version).toMatch(/^15\./)
    expect(() => observer.pidOf('postgres')).toThrow()
    expect(existsSync(join(factory.data, 'postgres', 'cluster'))).toBe(false)

    const client = new OpenAI({ apiKey: factory.apiKey, baseURL: `${factory.gatewayUrl}/v1` })
    const question = { model: MODEL, messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 4 }
    const answer = await client.chat.completions.create(question)
    expect(answer.choices[0]?.message.content).toBeTypeOf('string')
    await eventually('its usage row', async () => (await observer.usage()).length === 1)
  })
})
