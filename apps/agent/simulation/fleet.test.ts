import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentFrame, JOIN_PATH, joinRequest } from '@medley/enrolment/protocol'
import { agentReport } from '@medley/fleet/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { INSTANCE_ID, standInChannel } from '../fixtures/stand-in-channel.ts'
import { runSimulatedFleet, type SimulationOptions, type SimulationProgress } from './fleet.ts'
import { JoinRefusedError } from './join.ts'
import { simulationPlan } from './plan.ts'

type Samples = Extract<AgentFrame, { type: 'samples' }>

let directory: string
let stand: Awaited<ReturnType<typeof standIn>>
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'medley-simulation-'))
  stand = await standIn()
})
afterEach(async () => {
  stand.close()
  await rm(directory, { recursive: true, force: true })
})

/** A server that lets anybody with the token in, and keeps what it hears. */
async function standIn() {
  const keys = new Map<string, string>()
  const joins: string[] = []
  const reports = new Map<string, ReturnType<typeof agentReport.parse>[]>()
  const samples = new Map<string, Samples[]>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    if (request.url !== JOIN_PATH || request.headers.authorization !== 'Bearer mjt_good') {
      return void response.writeHead(401).end(JSON.stringify({ code: 'enrolment.token.refused', title: 'No.' }))
    }
    const asked = joinRequest.parse(JSON.parse(body))
    joins.push(asked.hostname)
    keys.set(asked.nodeKey, asked.publicKey)
    response.end(JSON.stringify({ nodeId: asked.nodeKey, instanceId: INSTANCE_ID, instanceKey: channel.instanceKey }))
  })
  const channel = standInChannel(server, {
    keyOf: (nodeId) => keys.get(nodeId) ?? null,
    sampleIntervalMs: 1_000,
    onFrame: (peer, frame) => {
      if (frame.type === 'report') {
        reports.set(peer.nodeId, [...(reports.get(peer.nodeId) ?? []), agentReport.parse(frame.report)])
        if (frame.report.waitMs > 0 && frame.report.appliedRevision === 3) return
        peer.send({ type: 'orders', id: frame.id, orders: { nodeId: peer.nodeId, revision: 3, workloads: [] } })
      } else if (frame.type === 'samples') {
        samples.set(peer.nodeId, [...(samples.get(peer.nodeId) ?? []), frame])
        peer.send({ type: 'stored', id: frame.id })
      }
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    channel,
    joins,
    reports,
    samples,
    close: () => {
      channel.close()
      server.close()
    },
  }
}

function start(given: Partial<SimulationOptions> & Pick<SimulationOptions, 'plan'>) {
  const stop = new AbortController()
  let last: SimulationProgress | null = null
  const ended = runSimulatedFleet({
    serverUrl: stand.url,
    joinToken: async () => 'mjt_good',
    directory,
    signal: stop.signal,
    onProgress: (progress) => {
      last = progress
    },
    ...given,
  })
  ended.catch(() => undefined)
  return {
    ended,
    until: async (look: (progress: SimulationProgress) => boolean) => {
      while (last === null || !look(last)) await new Promise((resolve) => setTimeout(resolve, 50))
    },
    stop: () => {
      stop.abort()
      return ended
    },
  }
}

const plan = (extra: object = {}) =>
  simulationPlan.parse({
    interval: '1s',
    groups: [{ name: 'g', nodes: 5, vendor: 'acme', product: 'A1', labels: { tier: 'test' } }],
    ...extra,
  })

describe('a simulated fleet', () => {
  it('joins once, is heard, loses no sample, and comes back as the same nodes', async () => {
    const placed: string[] = []
    const first = start({
      plan: plan(),
      onJoined: async ({ hostname, rack, labels }) => {
        placed.push(`${hostname} ${rack} ${labels.tier}`)
      },
    })
    await first.until(({ acknowledged }) => acknowledged >= 5 * 8 * 3)
    const ended = await first.stop()
    expect(ended).toMatchObject({ nodes: 5, chips: 40, joined: 5, refused: 0, waiting: 0, dropped: 0 })
    expect(ended.acknowledged).toBe(ended.taken)
    expect(stand.joins.toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `sim-g-000${n}`))
    expect(placed).toHaveLength(5)
    expect(placed).toContain('sim-g-0001 g-01 test')
    expect(stand.samples.size).toBe(5)
    for (const frames of stand.samples.values()) {
      const times = frames.flatMap((frame) => frame.samples.map(({ atMs }) => atMs))
      expect(new Set(times).size).toBe(times.length)
      for (const row of frames.flatMap((frame) => frame.samples.flatMap(({ values }) => values)))
        expect(row.filter((value) => value !== null).length).toBeGreaterThanOrEqual(10)
    }
    // Nothing changed, so nothing was said again beside what the server holds.
    for (const reports of stand.reports.values()) expect(reports.length).toBeLessThanOrEqual(2)

    const second = start({ plan: plan(), joinToken: () => Promise.reject(new Error('nobody is to ask for a token')) })
    await second.until(({ acknowledged }) => acknowledged >= 5 * 8)
    await second.stop()
    expect(stand.joins).toHaveLength(5)
    expect(stand.samples.size).toBe(5)
    const uuids = [...stand.reports.values()].map(
      (reports) => new Set(reports.flatMap((r) => r.chips.map((c) => c.uuid))),
    )
    expect(uuids.map(({ size }) => size)).toEqual([8, 8, 8, 8, 8])
    const gaps = [...stand.samples.values()].map((frames) => frames.flatMap((frame) => frame.gaps))
    expect(gaps.map((each) => each.map(({ reason }) => reason))).toEqual(Array(5).fill(['agent-stopped']))
  })

  it('keeps its readings through a cut and tells of faults when they come', async () => {
    const running = start({
      plan: plan({
        faults: [
          { kind: 'lost', at: '3s', on: { nodes: [1], chips: [2] } },
          { kind: 'network-cut', at: '1s', for: '3s', on: { nodes: [2] } },
          { kind: 'clock-skew', at: 0, byMs: 3_600_000, on: { nodes: [3] } },
        ],
      }),
    })
    const healthOf = (name: string) =>
      [...stand.reports].find(([id]) => id.endsWith(name))?.[1].at(-1)?.chips[2]?.health
    await running.until(() => healthOf('0001') === 'lost')
    await running.until(({ taken }) => taken >= 5 * 8 * 7)
    const { acknowledged, taken } = await running.stop()
    expect(acknowledged).toBe(taken)
    const framesOf = (name: string) => [...stand.samples].find(([id]) => id.endsWith(name))?.[1] ?? []
    expect(framesOf('0002').some(({ samples }) => samples.length > 1)).toBe(true)
    expect(framesOf('0002').flatMap(({ gaps }) => gaps)).toEqual([])
    const ahead = framesOf('0003').map(({ nowMs, samples }) => [nowMs - Date.now(), (samples[0]?.atMs ?? 0) - nowMs])
    expect(ahead.length).toBeGreaterThan(0)
    for (const [clock, sample] of ahead) {
      expect(clock).toBeGreaterThan(3_500_000)
      expect(Math.abs(sample ?? Number.NaN)).toBeLessThan(10_000)
    }
    expect(healthOf('0002')).toBe('healthy')
  })

  it('hands in what it kept while the server was away', async () => {
    const running = start({ plan: plan() })
    await running.until(({ acknowledged }) => acknowledged >= 5 * 8)
    stand.channel.setAway(true)
    await running.until(({ waiting }) => waiting >= 5 * 8 * 2)
    stand.channel.setAway(false)
    await running.until(({ connected, waiting }) => connected === 5 && waiting === 0)
    const { acknowledged, taken, dropped } = await running.stop()
    expect({ acknowledged, dropped }).toEqual({ acknowledged: taken, dropped: 0 })
  })

  it('ends with the reason when its token is refused', async () => {
    const running = start({ plan: plan(), joinToken: async () => 'mjt_bad' })
    await expect(running.ended).rejects.toBeInstanceOf(JoinRefusedError)
    await expect(running.ended).rejects.toMatchObject({ status: 401, code: 'enrolment.token.refused' })
  })

  it('keeps its keys to itself', async () => {
    const running = start({ plan: plan() })
    await running.until(({ joined }) => joined === 5)
    await running.stop()
    const lines = (await readFile(join(directory, 'members.jsonl'), 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(5)
    expect([...stand.reports.values()].some((reports) => JSON.stringify(reports).includes('privateKey'))).toBe(false)
  })
})
