import { fork } from 'node:child_process'
import { randomBytes, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createIdFactory, systemScope } from '@medley/kernel'
import { CHIP_METRICS } from '@medley/monitoring/protocol'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Alerting, alertingMigrations, createAlerting, type NewAlertChannel } from './index.ts'

let test: TestStore
/** Keeps the database server running between the tests, each of which has a database of its own. */
let kept: TestStore
let alerting: Alerting
let nowMs = Date.UTC(2026, 10, 23, 4, 0, 0)
const clock = { now: () => nowMs }
const ids = createIdFactory(clock, (size) => new Uint8Array(randomBytes(size)))
const secret = new Uint8Array(randomBytes(32))
const logged: string[] = []
const SECRET = 'SECbetween-us-only'
const TOKEN = 'token-0123456789abcdef'

interface Received {
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
/** A far side as its maker's page describes it, on the loopback: it checks what it gets and answers in its own words. */
interface FarSide {
  readonly received: Received[]
  answer: (request: Received, response: ServerResponse) => void | Promise<void>
}
const far: FarSide = { received: [], answer: () => {} }
const server = createServer(async (request, response) => {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const got = { url, headers: request.headers, body: Buffer.concat(pieces).toString('utf8') }
  far.received.push(got)
  await far.answer(got, response)
})
let base = ''
const json = (response: ServerResponse, body: unknown, status = 200) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

beforeAll(async () => {
  kept = await startTestStore()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}, 120_000)
afterAll(async () => {
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  await kept.close()
})
beforeEach(async () => {
  test = await startTestStore(alertingMigrations)
  far.received.length = 0
  logged.length = 0
  nowMs += 86_400_000
  alerting = await open()
}, 120_000)
afterEach(() => test.close())

const open = () =>
  createAlerting({
    store: test.store,
    ids,
    clock,
    secret,
    evidenceTexts: { 'not-listed': { en: '{tool} does not list it', 'zh-CN': '{tool} 没有列出它' } },
    timeZone: 'Asia/Shanghai',
    log: (message, fields) => void logged.push(JSON.stringify([message, fields])),
  })

/** HMAC-SHA256 by another implementation than the one that signed. */
async function hmac(key: string, text: string): Promise<Buffer> {
  const { subtle } = webcrypto
  const encode = (value: string) => new TextEncoder().encode(value)
  const imported = await subtle.importKey('raw', encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return Buffer.from(await subtle.sign('HMAC', imported, encode(text)))
}

async function channel(fields: Partial<NewAlertChannel>): Promise<string> {
  const given: NewAlertChannel = { name: 'duty', kind: 'webhook', url: `${base}/hook/${TOKEN}`, ...rest, ...fields }
  const { id } = await alerting.createChannel(given)
  for (const rule of await alerting.rules()) {
    await alerting.changeRule(rule.id, { forSeconds: 0, channelIds: [...rule.channelIds, id] })
  }
  return id
}
const rest = { locale: 'zh-CN', enabled: true } as const

async function nodesAway(count: number, state: 'away' | 'connected' = 'away', name = 'n'): Promise<void> {
  const nodes = Array.from({ length: count }, (_, index) => {
    const centre = { tenantId: null, simulated: true, maintenance: false }
    return { nodeId: `node_${name}${index}`, name: `${name}${index}`, state, ...centre }
  })
  await alerting.evaluate({ complete: true, nodes, chips: [] })
}

async function later(seconds: number): Promise<number> {
  nowMs += seconds * 1_000
  return alerting.deliver()
}
const deliveries = async () =>
  (await alerting.alerts({ viewer: { all: true } })).items.flatMap((each) => each.deliveries)

const robotBody = z.looseObject({ msgtype: z.literal('markdown'), markdown: z.record(z.string(), z.string()) })
const cardBody = z.object({
  timestamp: z.string(),
  sign: z.string(),
  msg_type: z.literal('interactive'),
  card: z.looseObject({ elements: z.tuple([z.object({ tag: z.literal('markdown'), content: z.string() })]) }),
})
const hookBody = z.object({
  version: z.literal(1),
  deliveryId: z.string(),
  sentAt: z.iso.datetime(),
  title: z.string(),
  alerts: z.array(z.looseObject({ id: z.string(), event: z.enum(['firing', 'resolved']), state: z.string() })),
})

describe('a message', () => {
  it('to a 企业微信 robot is Markdown within its bound, and names the alert', async () => {
    far.answer = (_, response) => json(response, { errcode: 0, errmsg: 'ok' })
    await channel({ kind: 'wecom', url: `${base}/cgi-bin/webhook/send?key=${TOKEN}` })
    await nodesAway(60)
    expect(await later(3)).toBe(1)
    const content = robotBody.parse(JSON.parse(far.received[0]?.body ?? '')).markdown.content ?? ''
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4_096)
    expect(content).toContain('触发 60 条')
    expect(content).toMatch(/【严重 · 模拟】节点失联\*\* n\d+ .*alert_/)
    const shown = content.match(/alert_/g)?.length ?? 0
    expect(content).toContain(`另有 ${60 - shown} 条`)
    expect((await deliveries()).filter(({ state }) => state === 'delivered')).toHaveLength(60)
  })

  it('to a 钉钉 robot is signed in the query, in milliseconds', async () => {
    far.answer = async ({ url }, response) => {
      const timestamp = url.searchParams.get('timestamp') ?? ''
      const wanted = (await hmac(SECRET, `${timestamp}\n${SECRET}`)).toString('base64')
      const fits = url.searchParams.get('sign') === wanted && Number(timestamp) === nowMs
      json(response, fits ? { errcode: 0, errmsg: 'ok' } : { errcode: 310000, errmsg: 'sign not match' })
    }
    await channel({ kind: 'dingtalk', url: `${base}/robot/send?access_token=${TOKEN}`, secret: SECRET, locale: 'en' })
    await nodesAway(1)
    await later(3)
    const [got] = far.received
    expect(got?.url.searchParams.get('access_token')).toBe(TOKEN)
    expect(robotBody.parse(JSON.parse(got?.body ?? '')).markdown).toMatchObject({
      title: 'Medley: 1 firing, 0 resolved',
      text: expect.stringContaining('Node away'),
    })
    expect(await deliveries()).toMatchObject([{ state: 'delivered', attempts: 1, lastError: null }])
  })

  it('to a 飞书 robot is signed in the body, in seconds, with the secret in the key', async () => {
    far.answer = async ({ body }, response) => {
      const { timestamp, sign } = cardBody.parse(JSON.parse(body))
      const wanted = (await hmac(`${timestamp}\n${SECRET}`, '')).toString('base64')
      const fits = sign === wanted && Number(timestamp) === Math.floor(nowMs / 1_000)
      if (fits) json(response, { StatusCode: 0, StatusMessage: 'success', code: 0, data: {}, msg: 'success' })
      else json(response, { code: 19021, data: {}, msg: 'sign match fail or timestamp is not within one hour' })
    }
    await channel({ kind: 'feishu', url: `${base}/open-apis/bot/v2/hook/${TOKEN}`, secret: SECRET })
    await nodesAway(2)
    await later(3)
    const { card } = cardBody.parse(JSON.parse(far.received[0]?.body ?? ''))
    expect(card).toMatchObject({ header: { template: 'red' } })
    expect((await deliveries()).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  it('to a program is JSON whose signature covers time and body', async () => {
    far.answer = (_, response) => void response.writeHead(204).end()
    await channel({ secret: SECRET })
    await nodesAway(2)
    await later(3)
    const [got] = far.received
    const timestamp = got?.headers['x-medley-timestamp']
    const wanted = (await hmac(SECRET, `${timestamp}.${got?.body}`)).toString('hex')
    expect(got?.headers['x-medley-signature']).toBe(`sha256=${wanted}`)
    const body = hookBody.parse(JSON.parse(got?.body ?? ''))
    expect(body.alerts).toMatchObject([
      { event: 'firing', simulated: true, ruleName: { en: 'Node away' } },
      { event: 'firing' },
    ])
    expect(got?.headers['x-medley-delivery']).toBe(body.deliveryId)
  })

  it.each([
    [
      'zh-CN',
      [
        /芯片过热\*\* .*温度 91.5 °C，高于 85 °C/,
        /新增不可纠正 ECC 错误\*\* .*不可纠正 ECC 错误一小时内增加 3，超过 0/,
        /加速卡丢失或不可用\*\* .*状态：掉卡 \| smi ＜b＞ 没有列出它 \| 开始于 \d{4}-\d\d-\d\d 12:00:\d\d UTC\+8/,
        /节点失联\*\* .*节点没有响应/,
      ],
    ],
    [
      'en',
      [
        /Chip too hot\*\* .*Temperature 91.5 °C, above 85 °C/,
        /Uncorrected ECC errors: 3 more within an hour, above 0/,
        /state: lost \| smi ＜b＞ does not list it \| since \d{4}-\d\d-\d\d 12:00:\d\d UTC\+8/,
        /The node does not answer/,
      ],
    ],
  ] as const)('says why in the reader’s words, with units and the time of a zone: %s', async (locale, wanted) => {
    far.answer = (_, response) => json(response, { errcode: 0 })
    await channel({ kind: 'dingtalk', url: `${base}/robot/send?access_token=${TOKEN}`, locale })
    const node = { nodeId: 'node_x', name: 'x', tenantId: null, simulated: false, maintenance: false } as const
    const seen = (state: 'healthy' | 'lost', eccErrors: number) => ({
      chipId: 'chip_1',
      nodeId: 'node_x',
      name: 'x · Card 0',
      vendor: 'acme',
      product: 'Card',
      state,
      evidence: state === 'lost' ? [{ code: 'not-listed', params: { tool: 'smi <b>' } }] : [],
      quarantine: null,
      driverVersion: null,
      simulated: false,
      values: CHIP_METRICS.map(({ name }) =>
        name === 'temperatureCelsius' ? 91.5 : name === 'eccErrorsUncorrected' ? eccErrors : null,
      ),
      readAtMs: nowMs,
    })
    const nodes = [
      { ...node, state: 'connected' as const },
      { ...node, nodeId: 'node_y', name: 'y', state: 'away' as const },
    ]
    await alerting.evaluate({ complete: true, nodes, chips: [seen('healthy', 4)] })
    nowMs += 1_000
    await alerting.evaluate({ complete: true, nodes, chips: [seen('lost', 7)] })
    await later(3)
    const text = robotBody.parse(JSON.parse(far.received[0]?.body ?? '')).markdown.text ?? ''
    for (const line of wanted) expect(text).toMatch(line)
  })

  it('names machines without giving them a voice', async () => {
    far.answer = (_, response) => json(response, { errcode: 0 })
    await channel({ kind: 'wecom', url: `${base}/send?key=${TOKEN}` })
    await nodesAway(1, 'away', '<@all>[x](http://evil)\n# ')
    await later(3)
    const { content = '' } = robotBody.parse(JSON.parse(far.received[0]?.body ?? '')).markdown
    expect(content).not.toMatch(/<@|\]\(|\n#/)
  })
})

describe('delivery', () => {
  it('gathers a failure into one message, waits between messages, and tells the end to who heard the beginning', async () => {
    far.answer = (_, response) => json(response, {})
    await channel({})
    await nodesAway(5)
    expect(await alerting.deliver()).toBe(0)
    await nodesAway(30)
    expect(await later(3)).toBe(1)
    expect(hookBody.parse(JSON.parse(far.received[0]?.body ?? '')).alerts).toHaveLength(30)
    await nodesAway(30, 'connected')
    for (const rule of await alerting.rules()) await alerting.changeRule(rule.id, { channelIds: [] })
    await nodesAway(30, 'connected')
    expect(await later(4)).toBe(0)
    expect(await later(6)).toBe(1)
    const { alerts } = hookBody.parse(JSON.parse(far.received[1]?.body ?? ''))
    expect(alerts.map(({ event, state }) => [event, state])).toEqual(Array(30).fill(['resolved', 'resolved']))
    expect(await later(60)).toBe(0)
  })

  it('believes a robot, not its status of 200, and tries again ever later', async () => {
    far.answer = (_, response) => json(response, { errcode: 45009, errmsg: `api freq out of limit ${TOKEN}` })
    await channel({ kind: 'wecom', url: `${base}/send?key=${TOKEN}` })
    await nodesAway(1)
    expect([await later(3), await later(9), await later(1), await later(19), await later(1)]).toEqual([1, 0, 1, 0, 1])
    expect(await deliveries()).toMatchObject([
      { state: 'waiting', attempts: 3, lastError: 'errcode 45009: api freq out of limit ***' },
    ])
    far.answer = (_, response) => json(response, { errcode: 0 })
    expect(await later(40)).toBe(1)
    expect(await deliveries()).toMatchObject([{ state: 'delivered', attempts: 4, lastError: null }])
  })

  it('gives up after a day', async () => {
    far.answer = (_, response) => json(response, { code: 19021, msg: 'sign match fail' })
    await channel({ kind: 'feishu' })
    await nodesAway(1)
    await later(3)
    expect(await deliveries()).toMatchObject([{ state: 'waiting', lastError: 'code 19021: sign match fail' }])
    await later(86_400)
    expect(await deliveries()).toMatchObject([{ state: 'failed', attempts: 2 }])
    expect(await later(3_600)).toBe(0)
  })

  it('follows no redirect, reads no endless answer, and takes an error status for one', async () => {
    await channel({})
    far.answer = (_, response) => void response.writeHead(307, { location: `${base}/elsewhere` }).end()
    await nodesAway(1)
    await later(3)
    expect(await deliveries()).toMatchObject([{ state: 'waiting', lastError: 'HTTP 307' }])
    expect(far.received).toHaveLength(1)
    far.answer = (_, response) => {
      response.writeHead(500)
      const piece = Buffer.alloc(65_536, 'x')
      const more = () => {
        if (!response.destroyed) response.write(piece, () => setImmediate(more))
      }
      more()
    }
    await later(10)
    expect(await deliveries()).toMatchObject([{ lastError: 'HTTP 500' }])
  })

  it('says why nobody could be reached, without the address', async () => {
    await channel({ url: `http://127.0.0.1:9/${TOKEN}` })
    await nodesAway(1)
    await later(3)
    const [delivery] = await deliveries()
    expect(delivery).toMatchObject({ state: 'waiting', attempts: 1 })
    expect(logged).toHaveLength(1)
    expect(JSON.stringify([delivery, logged])).not.toContain(TOKEN)
  })

  it('to one channel is not held up by another', async () => {
    far.answer = ({ url }, response) =>
      json(response, url.pathname.startsWith('/bad') ? { errcode: 1 } : { errcode: 0 })
    const bad = await channel({ kind: 'wecom', url: `${base}/bad?key=${TOKEN}` })
    await channel({ kind: 'wecom', url: `${base}/good?key=${TOKEN}` })
    await nodesAway(1)
    expect(await later(3)).toBe(2)
    const states = new Map((await deliveries()).map(({ channelId, state }) => [channelId === bad, state]))
    expect(states).toEqual(
      new Map([
        [true, 'waiting'],
        [false, 'delivered'],
      ]),
    )
  })

  it('survives being killed with a message under way: it is sent again, with the same name', async () => {
    await channel({})
    await nodesAway(3)
    nowMs += 3_000
    const child = fork(fileURLToPath(new URL('./deliver.fixture.ts', import.meta.url)), { stdio: 'ignore' })
    const exited = once(child, 'exit')
    far.answer = () => void child.kill('SIGKILL')
    child.send({ connection: test.connection, secret: [...secret], nowMs })
    await exited
    expect(far.received).toHaveLength(1)
    far.answer = (_, response) => json(response, {})
    alerting = await open()
    expect(await deliveries()).toMatchObject(Array(3).fill({ state: 'waiting', attempts: 1 }))
    expect(await later(59)).toBe(0)
    expect(await later(1)).toBe(1)
    const [first, second] = far.received.map(({ body }) => hookBody.parse(JSON.parse(body)))
    expect(second?.deliveryId).toBe(first?.deliveryId)
    expect(second?.alerts).toEqual(first?.alerts)
    expect(await deliveries()).toMatchObject(Array(3).fill({ state: 'delivered', attempts: 2 }))
  }, 60_000)
})

describe('a channel', () => {
  it('shows host and last four characters, and keeps the rest sealed', async () => {
    const id = await channel({ secret: SECRET })
    const [shown] = await alerting.channels()
    expect(shown).toMatchObject({ id, address: `${new URL(base).host}/…cdef`, signed: true })
    const rows = await test.store
      .tables<{ alert_channels: { sealed: Buffer } }>()
      .run(systemScope('test'), (tx) => tx.selectFrom('alert_channels').selectAll().execute())
    const stored = JSON.stringify(rows) + rows.map(({ sealed }) => sealed.toString('latin1')).join('')
    expect(stored).not.toContain(TOKEN)
    expect(stored).not.toContain(SECRET)
  })

  it('of another instance cannot be read', async () => {
    const id = await channel({})
    const other = await createAlerting({ store: test.store, ids, clock, secret: new Uint8Array(32) })
    await nodesAway(1)
    nowMs += 3_000
    await other.deliver()
    expect(await deliveries()).toMatchObject([{ channelId: id, lastError: 'the address cannot be read' }])
    expect(far.received).toEqual([])
  })

  it.each<[string, Partial<NewAlertChannel>]>([
    ['url', { url: 'ftp://example.test/x' }],
    ['url', { url: 'not an address' }],
    ['url', { url: `http://name:${TOKEN}@example.test/` }],
    ['secret', { kind: 'wecom', secret: 'x' }],
    ['name', { name: ' ' }],
  ])('with a bad %s is refused, and the refusal does not repeat it', async (path, fields) => {
    const error = await channel(fields).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'alerting.channel.invalid', errors: [{ path }] })
    expect(JSON.stringify(error)).not.toContain(TOKEN)
  })

  it('is tried out on demand', async () => {
    const id = await channel({ kind: 'feishu', enabled: false })
    far.answer = (_, response) => json(response, { code: 0 })
    expect(await alerting.testChannel(id)).toEqual({ ok: true })
    expect(far.received[0]?.body).toContain('测试')
    far.answer = (_, response) => json(response, { code: 19024, msg: 'Key Words Not Found' })
    expect(await alerting.testChannel(id)).toEqual({ ok: false, error: 'code 19024: Key Words Not Found' })
    far.answer = (_, response) => void response.end('<html>')
    expect(await alerting.testChannel(id)).toMatchObject({ ok: false })
  })

  it('that is deleted is given up', async () => {
    const id = await channel({})
    await nodesAway(1)
    await alerting.deleteChannel(id)
    expect(await deliveries()).toMatchObject([{ state: 'failed', lastError: 'the channel was deleted' }])
    expect((await alerting.rules()).flatMap(({ channelIds }) => channelIds)).toEqual([])
    await expect(alerting.deleteChannel(id)).rejects.toMatchObject({ code: 'alerting.channel.unknown' })
    expect(await later(3)).toBe(0)
  })

  it('is served by itself once started', async () => {
    far.answer = (_, response) => json(response, {})
    await channel({})
    await nodesAway(1)
    nowMs += 3_000
    alerting.start()
    await expect.poll(() => far.received.length, { timeout: 20_000 }).toBe(1)
    await alerting.stop()
    expect(await deliveries()).toMatchObject([{ state: 'delivered' }])
  }, 30_000)
})
