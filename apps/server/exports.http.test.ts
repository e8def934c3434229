import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { introduce } from './agents/test-agent.ts'
import { startTestFactory, type TestFactory } from './http/test-factory.ts'
import { agentReport } from './http/test-samples.ts'

let test: TestFactory
const received: { authorization: string | undefined; body: string }[] = []
const collector = createServer((request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    received.push({ authorization: request.headers.authorization, body: Buffer.concat(pieces).toString('latin1') })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
})

beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  test = await startTestFactory(
    { fleet: { sampleIntervalMs: 1_000 } },
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector-token',
    },
  )
}, 120_000)
afterAll(async () => {
  await test.close()
  await new Promise((resolve) => collector.close(resolve))
})

describe('a reading', { timeout: 60_000 }, () => {
  it('is on /metrics and goes to the collector the environment names, with its chip’s labels', async () => {
    const address = await test.listen()
    const identity = await test.joinOwn('node-under-test')
    const agent = await introduce(address, identity)
    expect((await agent.next('welcome')).sampleIntervalMs).toBe(1_000)
    agent.send({ type: 'report', id: 1, report: agentReport() })
    await agent.next('orders')
    agent.send({ type: 'layout', layout: { chips: ['chip-under-test'], metrics: ['powerWatts'] } })
    const nowMs = Date.now()
    agent.send({ type: 'samples', id: 2, nowMs, samples: [{ atMs: nowMs, values: [[123.5]] }], gaps: [] })
    await agent.next('stored')

    const exposed = await (await test.app.request('/metrics')).text()
    const line = exposed.split('\n').find((each) => each.startsWith('medley_chip_power_watts{'))
    expect(line).toMatch(/chip="chip-under-test".* 123\.5/)
    expect(line).toContain('simulated="false"')
    for (let tries = 0; tries < 300 && received.length === 0; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(received[0]?.authorization).toBe('Bearer collector-token')
    agent.close()
  })
})
