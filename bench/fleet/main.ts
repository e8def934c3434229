import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parsePlan, type SimulationPlan, simulationPlan } from '@medley/agent'
import { type RunningFactory, startFactory } from '../../tests/factory.ts'
import { type BenchRow, limitRow, reportedRow } from '../bench-row.ts'
import { runBench } from '../run-bench.ts'
import { compactedBytes, extrapolate, storedSamples } from './disk.ts'
import { type HostileMemory, hostileMemory } from './hostile-tools.ts'
import { timeLists } from './lists.ts'
import { cpuSeconds, pidOf, residentBytes } from './processes.ts'
import { type Simulation, startSimulation } from './simulation.ts'
import { type Point, quantile, slope } from './statistics.ts'

const MEBIBYTE = 2 ** 20
const GIGABYTE = 1e9
/** Memory is watched after this part of the steady time: caches fill first. */
const FULL = { steadySeconds: 1_800, settleSeconds: 300, pages: 3_000, hostileSeconds: 90, diskNodes: 24 }
const QUICK = { steadySeconds: 75, settleSeconds: 15, pages: 400, hostileSeconds: 20, diskNodes: 6 }
const JOIN_PATIENCE_MS = 300_000
const WATCH_EVERY_MS = 5_000

await runBench('fleet', async ({ quick, say }) => {
  const size = quick ? QUICK : FULL
  const plan = parsePlan(await readFile(new URL('plans/ten-thousand.yaml', import.meta.url), 'utf8'))
  const factories: RunningFactory[] = []
  const begin = async () => {
    const factory = await startFactory({ args: ['--no-starter', '--no-proving'] })
    factories.push(factory)
    return factory
  }
  try {
    say('starting a factory')
    const large = await begin()
    const simulation = await startSimulation(large, plan)
    const steady = await watchSteady(large, simulation, size, say)
    say('starting another factory with a hundred chips, and walking both lists')
    const small = await begin()
    const few = await startSimulation(small, hundredChips())
    await few.until(({ acknowledged, chips }) => acknowledged >= chips, JOIN_PATIENCE_MS)
    const lists = await timeLists(large, small, size.pages)
    await few.stop()
    say('ending the simulation and counting what was stored')
    const ended = await simulation.stop()
    const stored = await storedSamples(large)
    say('a real agent among broken vendor tools')
    const hostile = await hostileMemory(small, size.hostileSeconds)
    for (const factory of factories) await factory.stop()
    say('compacting a synthetic day in a scratch database')
    const disk = extrapolate(ended.nodes, stored, await compactedBytes(plan, size.diskNodes))
    const gigabytes = (bytes: number) => `${(bytes / GIGABYTE).toFixed(2)} GB`
    return {
      rows: [
        cpuRow(steady),
        lostRow(ended.taken, ended.acknowledged, stored.chipSamples),
        listRow(lists),
        agentRow(hostile),
        slopeRow(steady.memory, quick),
        limitRow(
          {
            name: 'disk_extrapolated_gb',
            value: disk.total / GIGABYTE,
            unit: 'GB',
            note:
              `raw 24 h ${gigabytes(disk.raw)} by the bytes of this run's rows, minutes 30 d ${gigabytes(disk.minute)} and ` +
              `hours 2 y ${gigabytes(disk.hour)} by a synthetic day of ${size.diskNodes} nodes compacted in a scratch ` +
              `database, each kept one partition longer; everything else and the write-ahead log ${gigabytes(disk.other)}`,
          },
          30,
        ),
      ],
      samples: {
        residentMebibytes: steady.memory.map(({ y }) => y / MEBIBYTE),
        cpuCores: steady.cores,
        chipsListLargeMs: lists.large,
        chipsListSmallMs: lists.small,
        agentCalmBytes: hostile.calmBytes,
        agentHostileBytes: hostile.hostileBytes,
      },
      facts: { fleet: { nodes: ended.nodes, chips: ended.chips, intervalMs: plan.interval }, simulator: ended, stored },
    }
  } finally {
    for (const factory of factories) await factory.stop()
  }
})

function hundredChips(): SimulationPlan {
  const group = { vendor: 'ascend', product: '910B3' }
  return simulationPlan.parse({
    interval: '15s',
    groups: [
      { ...group, name: 'twelve', nodes: 12, chips: { count: 8 } },
      { ...group, name: 'one', nodes: 1, chips: { count: 4 } },
    ],
  })
}

interface Steady {
  readonly seconds: number
  readonly serverSeconds: number
  readonly storeSeconds: number
  /** Resident memory of the server over hours since the fleet was complete. */
  readonly memory: readonly Point[]
  readonly cores: readonly number[]
}

/** From the time when every node has been heard, with nothing else asked of the server. */
async function watchSteady(
  factory: RunningFactory,
  simulation: Simulation,
  { steadySeconds, settleSeconds }: typeof FULL,
  say: (line: string) => void,
): Promise<Steady> {
  await simulation.until(({ connected, nodes }) => connected === nodes, JOIN_PATIENCE_MS)
  const { taken } = await simulation.until(({ acknowledged, chips }) => acknowledged >= chips, JOIN_PATIENCE_MS)
  // Two more rounds, so that the first reports of all are behind the server.
  await simulation.until(({ acknowledged, chips }) => acknowledged >= taken + 2 * chips, JOIN_PATIENCE_MS)
  say(`all nodes are connected; watching for ${steadySeconds} s`)
  const [server, postgres] = [pidOf(factory.data, 'server'), pidOf(factory.data, 'postgres')]
  const startedAt = performance.now()
  const before = { server: cpuSeconds(server), store: cpuSeconds(postgres) }
  const memory: Point[] = []
  const cores: number[] = []
  let last = { at: startedAt, used: before.server + before.store }
  while (performance.now() < startedAt + steadySeconds * 1_000) {
    await sleep(WATCH_EVERY_MS)
    const at = performance.now()
    const used = cpuSeconds(server) + cpuSeconds(postgres)
    cores.push((used - last.used) / ((at - last.at) / 1_000))
    last = { at, used }
    const seconds = (at - startedAt) / 1_000
    if (seconds >= settleSeconds) memory.push({ x: seconds / 3_600, y: residentBytes(server) })
    if (cores.length % 60 === 0) say(`${Math.round(seconds)} s: ${JSON.stringify(simulation.progress())}`)
  }
  if (pidOf(factory.data, 'server') !== server) throw new Error('the server was started again meanwhile')
  return {
    seconds: (performance.now() - startedAt) / 1_000,
    serverSeconds: cpuSeconds(server) - before.server,
    storeSeconds: cpuSeconds(postgres) - before.store,
    memory,
    cores,
  }
}

function cpuRow({ seconds, serverSeconds, storeSeconds }: Steady): BenchRow {
  const cores = (used: number) => (used / seconds).toFixed(3)
  return limitRow(
    {
      name: 'server_cpu_cores',
      value: (serverSeconds + storeSeconds) / seconds,
      unit: 'cores',
      note: `server ${cores(serverSeconds)}, PostgreSQL with all its processes ${cores(storeSeconds)}, over ${Math.round(seconds)} s`,
    },
    0.6,
  )
}

function lostRow(taken: number, acknowledged: number, stored: number): BenchRow {
  return limitRow(
    {
      name: 'samples_lost',
      // Also one too many would be wrong.
      value: Math.abs(taken - stored),
      unit: 'samples',
      note: `${taken} taken, ${acknowledged} acknowledged, ${taken - acknowledged} never acknowledged, ${stored} in the store`,
    },
    0,
  )
}

function listRow({ large, small }: Awaited<ReturnType<typeof timeLists>>): BenchRow {
  const median = (values: readonly number[]) => quantile(values, 0.5).toFixed(1)
  return limitRow(
    {
      name: 'chips_list_p99',
      value: quantile(large, 0.99),
      unit: 'ms',
      anchor: 'the same page of a fleet of 100, in turn',
      anchorValue: quantile(small, 0.99),
      note: `${large.length} pages each; medians ${median(large)} and ${median(small)} ms`,
    },
    3,
  )
}

function agentRow({ calmBytes, hostileBytes, growthBytes }: HostileMemory): BenchRow {
  const mebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(0)
  return limitRow(
    {
      name: 'agent_memory_growth_mb',
      value: growthBytes / MEBIBYTE,
      unit: 'MiB',
      note:
        `highest ${mebibytes(Math.max(...hostileBytes))} MiB among eight broken tools; without any the median was ` +
        `${mebibytes(quantile(calmBytes, 0.5))} and the highest ${mebibytes(Math.max(...calmBytes))}`,
    },
    64,
  )
}

function slopeRow(memory: readonly Point[], quick: boolean): BenchRow {
  const measured = {
    name: 'memory_slope_mb_per_hour',
    value: slope(memory) / MEBIBYTE,
    unit: 'MiB/h',
    note: `least squares over ${memory.length} readings of the server's resident memory${quick ? '; too short to conclude anything' : ''}`,
  }
  return quick ? reportedRow({ ...measured, anchor: '', anchorValue: null }) : limitRow(measured, 10)
}
