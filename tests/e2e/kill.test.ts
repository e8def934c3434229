import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningFactory, startFactory } from '../factory.ts'
import { ordeal } from './kill-scenario.ts'
import { eventually, isRunning, type Observer, observe, processesOf } from './observer.ts'
import { seededRandom } from './random.ts'

const MODEL = 'smollm2-135m-instruct'
/** A few in every run; `kill.nightly.ts` sets ten. */
const KILLS_EACH = Number(process.env.MEDLEY_KILLS ?? 2)
const SEED = Number(process.env.MEDLEY_KILL_SEED ?? Math.floor(Math.random() * 2 ** 31))
const LEAST_REQUESTS = 220

let data: string
let factory: RunningFactory
let observer: Observer
let client: OpenAI

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'medley-kill-'))
  factory = await startFactory({ data, args: ['--no-proving'] })
  observer = observe(factory)
  client = new OpenAI({ apiKey: factory.apiKey, baseURL: `${factory.gatewayUrl}/v1`, maxRetries: 0 })
}, 300_000)

afterAll(async () => {
  await factory.stop()
  await rm(data, { recursive: true, force: true })
}, 120_000)

const story = {
  model: MODEL,
  messages: [{ role: 'user' as const, content: 'Write a very long story about a ship.' }],
  max_tokens: 800,
}
const question = { model: MODEL, messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 4 }

describe('kill -9 of the engine', { timeout: 240_000 }, () => {
  it('ends the stream with an error, and needs nobody to bring it back', async () => {
    const pid = observer.enginePid()
    const stream = await client.chat.completions.create({ ...story, stream: true })
    let pieces = 0
    const reading = (async () => {
      for await (const _ of stream) {
        pieces += 1
        if (pieces === 3) process.kill(pid, 'SIGKILL')
      }
    })()
    await expect(reading).rejects.toBeInstanceOf(APIError)
    await expect(reading).rejects.toMatchObject({ code: 'engine_lost' })

    const killedAt = performance.now()
    const refused: { status: number; retryAfter: string | null }[] = []
    await eventually('an answer', async () => {
      const answer = await client.chat.completions.create(question).catch((error: unknown) => {
        if (!(error instanceof APIError)) throw error
        refused.push({ status: error.status ?? 0, retryAfter: error.headers?.get('retry-after') ?? null })
        return null
      })
      return answer !== null
    })
    console.log(`engine back after ${seconds(killedAt)} s, ${refused.length} requests refused meanwhile`)
    expect(refused.filter(({ status, retryAfter }) => status !== 503 || retryAfter === null)).toEqual([])
    expect(observer.enginePid()).not.toBe(pid)
    await eventually('the restart is told', async () => (await observer.status()).deployments[0]?.restarts === 1)
    await eventually('the broken stream is metered', async () =>
      (await observer.usage()).some((row) => row.outcome === 'failed' && row.errorCode === 'engine_lost'),
    )
  })
})

describe('kill -9 of the server', { timeout: 240_000 }, () => {
  it('leaves the gateway answering', async () => {
    const pid = observer.pidOf('server')
    // A supervisor that stands still keeps the server away for as long as this test wants.
    factory.process.kill('SIGSTOP')
    try {
      process.kill(pid, 'SIGKILL')
      await eventually('the server is gone', () => !isRunning(pid))
      await expect(fetch(factory.consoleUrl)).rejects.toThrow()
      expect((await client.chat.completions.create(question)).choices).toHaveLength(1)
      const stream = await client.chat.completions.create({ ...question, stream: true })
      let pieces = 0
      for await (const _ of stream) pieces += 1
      expect(pieces).toBeGreaterThan(0)
      await expect(client.chat.completions.create({ ...question, model: 'nonesuch' })).rejects.toMatchObject({
        status: 404,
      })
      await expect(fetch(factory.consoleUrl)).rejects.toThrow()
    } finally {
      factory.process.kill('SIGCONT')
    }
    const resumedAt = performance.now()
    await eventually('the server is back', async () => (await observer.status()).ready)
    console.log(`server back ${seconds(resumedAt)} s after its supervisor went on`)
    await eventually('the usage of that time is metered', () => observer.isShipped())
  })
})

describe(`each process is killed ${KILLS_EACH} times under load`, { timeout: 300_000 * KILLS_EACH }, () => {
  it('the usage rows are the clients’ log, one for each request', async () => {
    const earlier = new Set((await observer.usage()).map((row) => row.requestId))
    const outcome = await ordeal(factory, observer, seededRandom(SEED), {
      killsEach: KILLS_EACH,
      leastRequests: LEAST_REQUESTS,
    })
    const rows = outcome.rows.filter((row) => !earlier.has(row.requestId))
    const ends = Object.groupBy(outcome.log, ({ end }) => end)
    console.log(
      `seed ${SEED}; ${outcome.log.length} requests, ${rows.length} rows; ` +
        `${Object.entries(ends).map(([end, list]) => `${list.length} ${end}`)}; back after (s): ` +
        outcome.kills.map(({ target, backAfterSeconds }) => `${target} ${backAfterSeconds}`).join(', '),
    )

    const byId = new Map(rows.map((row) => [row.requestId, row]))
    expect(byId.size).toBe(rows.length)
    // A client that knows its request's id has seen the head of an answer, so the request was in the journal.
    const known = outcome.log.filter((request) => request.requestId !== null)
    expect(known.filter(({ requestId }) => !byId.has(requestId ?? ''))).toEqual([])
    // What is metered beyond that are requests whose client saw nothing of them but a broken connection.
    const knownIds = new Set(known.map(({ requestId }) => requestId))
    const unknown = rows.filter(({ requestId }) => !knownIds.has(requestId))
    const begun = outcome.log.filter(({ requestId, end }) => requestId === null && end === 'lost')
    expect(unknown.length).toBeLessThanOrEqual(begun.length)

    const acknowledged = known.filter(({ end }) => end === 'acknowledged')
    const told = acknowledged.map(({ requestId, status, completionTokens }) => ({
      requestId,
      status,
      completionTokens,
    }))
    const metered = acknowledged.map(({ requestId, completionTokens }) => {
      const row = byId.get(requestId ?? '')
      // An answer that is an error claims no tokens; the row may still know what it cost.
      return {
        requestId,
        status: row?.httpStatus,
        completionTokens: completionTokens === null ? null : row?.completionTokens,
      }
    })
    expect(metered).toEqual(told)
    expect(acknowledged.length).toBeGreaterThan(100)

    // Neither the agent's end nor that of everything took the engine along.
    expect(outcome.enginePids[1]).toBe(outcome.enginePids[0])
  })

  it('a stop lets the running answer end, and leaves nothing of the factory', async () => {
    const places = [factory.data, observer.runDirectory()]
    expect(processesOf(places).length).toBeGreaterThan(4)
    const stream = await client.chat.completions.create({ ...story, max_tokens: 60, stream: true })
    const finished: string[] = []
    let stopped: Promise<void> | null = null
    for await (const chunk of stream) {
      stopped ??= factory.stop()
      const reason = chunk.choices[0]?.finish_reason
      if (reason) finished.push(reason)
    }
    await stopped
    expect(finished).toHaveLength(1)
    await sleep(500)
    expect(processesOf(places)).toEqual([])
  })

  it.each([1, 2, 3])('a stop in the middle of a start leaves nothing either (%i)', async (round) => {
    const places = [factory.data, observer.runDirectory()]
    const starting = factory.restart().then(
      () => 'ready',
      () => 'stopped',
    )
    // From here on the agent looks for the engine it had, finds none, and starts one.
    await eventually('an agent', () => isRunning(observer.pidOf('agent')))
    await sleep(seededRandom(SEED + round).between(0, 2_500))
    await factory.stop()
    expect(['ready', 'stopped']).toContain(await starting)
    await sleep(500)
    expect(processesOf(places)).toEqual([])
  })
})

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
