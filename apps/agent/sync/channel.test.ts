import { joinAnswer } from '@medley/enrolment/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../fixtures/factory.ts'
import { startStandInServer } from '../fixtures/stand-in-server.ts'
import { type Channel, type ChannelIdentity, type ChannelOptions, openChannel } from './channel.ts'
import { generateNodeKeyPair } from './keys.ts'

const TOKEN = 'internal'
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Server = Awaited<ReturnType<typeof startStandInServer>>

async function serverOfTest(): Promise<Server> {
  const server = await startStandInServer({ internalToken: TOKEN })
  undo.push(server.close)
  return server
}

async function joinedTo(server: Server, keys = generateNodeKeyPair()): Promise<ChannelIdentity> {
  const request = { nodeKey: 'key', hostname: 'host', publicKey: keys.publicKey, agentVersion: '1', simulated: false }
  const response = await fetch(new URL('/internal/agents/join', server.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify(request),
  })
  const { nodeId, instanceId, instanceKey } = joinAnswer.parse(await response.json())
  return { nodeId, keys, instanceId, instanceKey }
}

function dial(server: Server, identity: ChannelOptions['identity'], more: Partial<ChannelOptions> = {}): Channel {
  const options = { serverUrl: server.url, identity, bootId: 'boot', agentVersion: '1', backoffMaxMs: 200, tickMs: 200 }
  const channel = openChannel({ ...options, ...more })
  undo.push(channel.close)
  return channel
}

const never = new AbortController().signal
const report = (waitMs: number, appliedRevision = 1) => ({
  nodeKey: 'key',
  bootId: 'boot',
  facts: {
    hostname: 'host',
    operatingSystem: 'Linux',
    kernel: '6',
    architecture: 'x64',
    cpuCount: 1,
    memoryBytes: 1,
    agentVersion: '1',
    nodeVersion: '24',
    engines: [],
  },
  chips: [],
  workloads: [],
  appliedRevision,
  waitMs,
})

describe('the channel', { timeout: 60_000 }, () => {
  it('carries reports, orders and samples after both sides have proven themselves', async () => {
    const server = await serverOfTest()
    const channel = dial(server, await joinedTo(server))
    await channel.ready(never)
    expect(await channel.report(report(0), never)).toEqual({ nodeId: 'node_1', revision: 1, workloads: [] })
    channel.layout({ chips: ['a'], metrics: ['powerWatts'] })
    await channel.store({ samples: [{ atMs: 5, values: [[null]] }], gaps: [] })
    expect(server.told).toMatchObject({ layouts: [{ chips: ['a'] }], samples: [{ atMs: 5, values: [[null]] }] })
  })

  it('is answered at once when the server wants something, and lets a held report be called off', async () => {
    const server = await serverOfTest()
    const channel = dial(server, await joinedTo(server))
    await channel.ready(never)
    const held = channel.report(report(60_000), never)
    await until('held', () => server.last())
    server.want([])
    expect((await held).revision).toBe(2)
    const poll = new AbortController()
    const calledOff = channel.report(report(60_000, 2), poll.signal)
    poll.abort(new Error('news'))
    await expect(calledOff).rejects.toThrow('news')
    expect((await channel.report(report(0, 2), never)).revision).toBe(2)
  })

  it('rejects what was not answered when it is cut, and dials again', async () => {
    const server = await serverOfTest()
    const welcomes: number[] = []
    const channel = dial(server, await joinedTo(server), { onWelcome: ({ nowMs }) => welcomes.push(nowMs) })
    await channel.ready(never)
    const held = channel.report(report(60_000), never)
    const cut = expect(held).rejects.toMatchObject({ code: 'agent.channel.cut' })
    await until('held', () => server.last())
    for (const peer of server.channel.peers()) peer.kill()
    await cut
    await channel.ready(never)
    expect(welcomes).toHaveLength(2)
  })

  it('notices a server that has gone silent without a word', async () => {
    const server = await serverOfTest()
    const troubles: unknown[] = []
    const channel = dial(server, await joinedTo(server), { onTrouble: (error) => troubles.push(error) })
    await channel.ready(never)
    const [peer] = server.channel.peers()
    peer?.freeze()
    await until('noticed', () => troubles.length > 0)
    expect(troubles[0]).toMatchObject({ code: 'agent.channel.silent' })
    await channel.ready(never)
    expect(channel.connected).toBe(true)
  })

  it('talks to nobody who cannot sign with the key it pinned', async () => {
    const server = await serverOfTest()
    const identity = { ...(await joinedTo(server)), instanceKey: generateNodeKeyPair().publicKey }
    const troubles: unknown[] = []
    const channel = dial(server, identity, { onTrouble: (error) => troubles.push(error) })
    await until('refused twice', () => troubles.length > 1)
    expect(troubles[0]).toMatchObject({ code: 'agent.channel.wrong-server' })
    expect(channel.connected).toBe(false)
    expect(server.channel.peers()).toEqual([])
  })

  it('ends when the server will never take it, and says why', async () => {
    const server = await serverOfTest()
    const identity = { ...(await joinedTo(server)), keys: generateNodeKeyPair() }
    const said = Promise.withResolvers<string>()
    const channel = dial(server, identity, {
      onRefused: (code) => {
        said.resolve(code)
        return undefined
      },
    })
    const waiting = expect(channel.ready(never)).rejects.toMatchObject({ code: 'agent.channel.refused' })
    expect(await said.promise).toBe('enrolment.node.unknown')
    await waiting
    await expect(channel.report(report(0), never)).rejects.toMatchObject({ code: 'agent.channel.refused' })
  })

  it('takes up a new identity where the refused one was given up', async () => {
    const server = await serverOfTest()
    const good = await joinedTo(server)
    let identity = { ...good, keys: generateNodeKeyPair() }
    const channel = dial(server, async () => identity, {
      onRefused: () => {
        identity = good
        return 'again'
      },
    })
    await channel.ready(never)
    expect(channel.connected).toBe(true)
  })

  it('comes back by itself when the server does, a hundred of them in one process', async () => {
    const server = await serverOfTest()
    const identity = await joinedTo(server)
    const channels = Array.from({ length: 100 }, () => dial(server, identity, { tickMs: 3_000 }))
    await Promise.all(channels.map((channel) => channel.ready(never)))
    server.setAway(true)
    await until('all gone', () => channels.every((channel) => !channel.connected))
    server.setAway(false)
    await Promise.all(channels.map((channel) => channel.ready(never)))
    expect(server.channel.peers().length).toBe(100)
  })
})
