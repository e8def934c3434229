import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chipEvent, node, series } from '@medley/server/fleet-schemas'
import { chip } from '@medley/server/schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RunningFactory, startFactory } from '../factory.ts'
import {
  type Agents,
  CHIPS_PER_NODE,
  chaosPlan,
  doHarm,
  expectedEnd,
  settle,
  startAgents,
  unmarkedHoles,
} from './fleet-chaos-scenario.ts'
import { type Observer, observe } from './observer.ts'
import { seededRandom } from './random.ts'

/** About a minute in every run; `fleet-chaos.nightly.ts` takes two hundred nodes and ten minutes. */
const NODES = Number(process.env.MEDLEY_CHAOS_NODES ?? 20)
const SECONDS = Number(process.env.MEDLEY_CHAOS_SECONDS ?? 30)
const SEED = Number(process.env.MEDLEY_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31))
/** How often chips are read. Of single missing samples no gap is told, so it must be short beside the trouble. */
const INTERVAL_SECONDS = NODES > 50 ? 5 : 2
/** Chips whose whole history is looked at. */
const LOOKED_AT = 40

let data: string
let factory: RunningFactory
let observer: Observer
let agents: Agents

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'medley-chaos-'))
  const args = ['--no-starter', '--no-proving', '--sample-every', `${INTERVAL_SECONDS}s`]
  factory = await startFactory({ data, args })
  observer = observe(factory)
}, 300_000)

afterAll(async () => {
  await agents?.stop()
  await factory?.stop()
  await rm(data, { recursive: true, force: true, maxRetries: 5 })
}, 120_000)

describe(`${NODES} nodes in ${SECONDS} s of trouble (seed ${SEED})`, { timeout: (SECONDS + 240) * 1_000 }, () => {
  it('are one fleet in the end, with a history that has no unmarked gap', async () => {
    const random = seededRandom(SEED)
    agents = startAgents(factory, chaosPlan(NODES, SECONDS, random))
    const startedAt = Date.now()
    await settle(observer, agents)
    const deeds = await doHarm(observer, agents, random, SECONDS)
    await settle(observer, agents)
    console.log(`seed ${SEED}: ${deeds.join(', ')}`)

    const simulated = (await observer.listOf('/api/v1/chips', chip)).filter((each) => each.simulated)
    const uuids = simulated.map(({ facts }) => facts.uuid)
    expect(new Set(uuids).size).toBe(uuids.length)
    expect(simulated).toHaveLength(NODES * CHIPS_PER_NODE)
    const states = simulated.map(
      ({ nodeName, facts, state }) => [`${nodeName}/${facts.index}`, `${state} ${facts.driverVersion}`] as const,
    )
    expect(new Map(states.toSorted())).toEqual(new Map([...expectedEnd(NODES)].toSorted()))
    const nodes = (await observer.listOf('/api/v1/nodes', node)).filter((each) => each.simulated)
    expect(nodes.map(({ state }) => state)).toEqual(Array(NODES).fill('connected'))

    const events = await observer.listOf('/api/v1/fleet/events', chipEvent)
    const found = events.filter(({ kind }) => kind === 'found').map(({ chipId }) => chipId)
    expect(new Set(found).size).toBe(found.length)
    expect(events.filter(({ kind }) => kind === 'claimed-twice')).toEqual([])

    const query = new URLSearchParams({
      metrics: 'healthRatio',
      resolution: 'raw',
      from: new Date(startedAt).toISOString(),
      to: new Date().toISOString(),
    })
    // One that is gone from the bus has no readings to be missed.
    const there = simulated.filter(({ state }) => state !== 'absent')
    for (const { id, nodeName } of there.filter((_, index) => index % Math.ceil(there.length / LOOKED_AT) === 0)) {
      const [history] = z
        .object({ items: z.array(series) })
        .parse(await observer.ask(`/api/v1/chips/${id}/series?${query}`)).items
      const times = (history?.points ?? []).map(([atMs]) => atMs)
      expect(new Set(times).size).toBe(times.length)
      expect(times.length).toBeGreaterThan(2)
      const gaps = (history?.gaps ?? []).map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }))
      expect({ nodeName, holes: unmarkedHoles(times, gaps, 2_500 * INTERVAL_SECONDS) }).toEqual({ nodeName, holes: [] })
    }
  })
})

describe('a hole in history', () => {
  it('is marked as far as gaps cover it', () => {
    const gap = (fromMs: number, toMs: number) => ({ fromMs, toMs })
    expect(unmarkedHoles([0, 5, 10, 40], [], 6)).toEqual([gap(10, 40)])
    expect(unmarkedHoles([0, 5, 10, 40], [gap(10, 40)], 6)).toEqual([])
    expect(unmarkedHoles([0, 5, 10, 40], [gap(30, 40), gap(12, 30)], 6)).toEqual([])
    expect(unmarkedHoles([0, 5, 10, 40], [gap(10, 20)], 6)).toEqual([gap(10, 40)])
  })
})
