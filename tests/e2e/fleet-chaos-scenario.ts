import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { RunningFactory } from '../factory.ts'
import { eventually, isRunning, type Observer } from './observer.ts'
import type { Random } from './random.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url))
export const CHIPS_PER_NODE = 4

const progressLine = z.object({
  ended: z.boolean(),
  nodes: z.number(),
  chips: z.number(),
  joined: z.number(),
  connected: z.number(),
  refused: z.number(),
  taken: z.number(),
})
type Progress = z.infer<typeof progressLine>

/**
 * Faults that are there for good before the trouble ends, and cuts of the network in between. What each node should be
 * in the end follows from its number alone.
 */
export function chaosPlan(nodes: number, seconds: number, random: Random) {
  // Late enough that every chip has been seen before.
  const early = `${Math.max(20, Math.floor(seconds / 6))}s`
  const cuts = Array.from({ length: Math.ceil(seconds / 10) }, () => ({
    kind: 'network-cut',
    at: `${random.between(1, seconds - 5)}s`,
    for: `${random.between(3, 8)}s`,
    on: { nodes: Array.from({ length: Math.ceil(nodes / 5) }, () => random.between(1, nodes)) },
  }))
  return {
    seed: random.between(1, 1_000_000),
    groups: [
      { name: 'chaos', nodes, vendor: 'acme', product: 'A1', chips: { count: CHIPS_PER_NODE, driverVersion: '1' } },
    ],
    faults: [
      { kind: 'lost', at: early, on: { nodes: [1], chips: [0] } },
      { kind: 'unusable', at: early, on: { nodes: [2], chips: [1] } },
      { kind: 'degraded', at: early, on: { nodes: [3], chips: [2] } },
      { kind: 'absent', at: early, on: { nodes: [4], chips: [3] } },
      { kind: 'driver-version', version: '2', at: early, on: { nodes: [5] } },
      ...cuts,
    ],
  }
}

/** State and driver version of each chip in the end, by host name and index. */
export function expectedEnd(nodes: number): ReadonlyMap<string, string> {
  const wrong: Readonly<Record<string, string>> = {
    '1/0': 'lost',
    '2/1': 'unusable',
    '3/2': 'degraded',
    '4/3': 'absent',
  }
  return new Map(
    Array.from({ length: nodes }, (_, index) => index + 1).flatMap((number) =>
      Array.from({ length: CHIPS_PER_NODE }, (_, chip): [string, string] => [
        `sim-chaos-${String(number).padStart(4, '0')}/${chip}`,
        `${wrong[`${number}/${chip}`] ?? 'healthy'} ${number === 5 ? 2 : 1}`,
      ]),
    ),
  )
}

/** All simulated agents in one process, as `medley fleet simulate` runs them; started again by whoever killed it. */
export function startAgents(factory: RunningFactory, plan: unknown) {
  const file = join(factory.data, 'chaos-plan.json')
  writeFileSync(file, JSON.stringify(plan))
  let child: ChildProcess | null = null
  let last: Progress | null = null
  let told = 0
  let output = ''
  const launch = () => {
    last = null
    let rest = ''
    const words = ['fleet', 'simulate', '--plan', file, '--keep', join(factory.data, 'chaos'), '--data', factory.data]
    const started = spawn(process.execPath, [CLI, ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    started.stdout.on('data', (piece) => {
      const lines = `${rest}${piece}`.split('\n')
      rest = lines.pop() ?? ''
      const line = lines.at(-1)
      if (line === undefined) return
      last = progressLine.parse(JSON.parse(line))
      told += 1
    })
    started.stderr.on('data', (piece) => {
      output += piece
    })
    child = started
  }
  const end = async (signal: NodeJS.Signals) => {
    const ending = child
    if (ending === null || hasEnded(ending)) return
    const gone = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill(signal)
    await gone
  }
  launch()
  return {
    progress: () => last,
    /** Grows with each word of the agents; the last of them may be a second old. */
    told: () => told,
    output: () => output,
    freeze: async (ms: number) => {
      child?.kill('SIGSTOP')
      await sleep(ms)
      child?.kill('SIGCONT')
    },
    restart: async (signal: NodeJS.Signals) => {
      await end(signal)
      launch()
    },
    /** Nothing here ends by itself; what did was refused or broke. */
    hasFailed: () => child !== null && hasEnded(child),
    stop: () => end('SIGTERM'),
  }
}
export type Agents = ReturnType<typeof startAgents>

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

const DEEDS = [
  'kill agents',
  'restart agents',
  'freeze agents',
  'kill server',
  'restart server',
  'freeze server',
] as const
type Deed = (typeof DEEDS)[number] | 'kill store'

/** Does harm at random, until the time is up; each kind at least once where there is time. @returns what was done */
export async function doHarm(
  observer: Observer,
  agents: Agents,
  random: Random,
  seconds: number,
): Promise<readonly Deed[]> {
  const done: Deed[] = []
  const deadline = performance.now() + seconds * 1_000
  let queue: Deed[] = []
  while (performance.now() < deadline) {
    if (queue.length === 0) queue = random.shuffle<Deed>([...DEEDS, 'kill store'])
    const deed = queue.pop() ?? 'kill server'
    await harm(deed, observer, agents, random)
    done.push(deed)
    await sleep(random.between(1_000, 6_000))
  }
  return done
}

async function harm(deed: Deed, observer: Observer, agents: Agents, random: Random): Promise<void> {
  if (deed === 'kill agents') return agents.restart('SIGKILL')
  if (deed === 'restart agents') return agents.restart('SIGTERM')
  if (deed === 'freeze agents') return agents.freeze(random.between(500, 4_000))
  const name = deed === 'kill store' ? 'postgres' : 'server'
  const pid = observer.pidOf(name)
  if (deed === 'freeze server') {
    process.kill(pid, 'SIGSTOP')
    await sleep(random.between(500, 4_000))
    return void process.kill(pid, 'SIGCONT')
  }
  process.kill(pid, deed === 'restart server' ? 'SIGTERM' : 'SIGKILL')
  await eventually(`another ${name}`, () => observer.pidOf(name) !== pid && !isRunning(pid))
}

/** The server answers, every node has its connection, and has been polled twice since. */
export async function settle(observer: Observer, agents: Agents): Promise<void> {
  await eventually('the server answers', async () => (await observer.status()) !== null)
  const before = agents.told()
  await eventually('every node is connected', () => {
    if (agents.hasFailed()) throw new Error(`the agents ended: ${agents.output()}`)
    const progress = agents.progress()
    return agents.told() >= before + 3 && progress !== null && progress.connected === progress.nodes
  })
  const from = agents.progress()
  if (from === null) throw new Error('the agents have just ended')
  await eventually('two polls of every node', () => (agents.progress()?.taken ?? 0) >= from.taken + 2 * from.chips)
}

export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** Stretches between neighbouring samples that are longer than `mostMs` and not told as gaps. */
export function unmarkedHoles(
  timesMs: readonly number[],
  gaps: readonly Stretch[],
  mostMs: number,
): readonly Stretch[] {
  const sorted = timesMs.toSorted((left, right) => left - right)
  return sorted.flatMap((fromMs, index) => {
    const toMs = sorted[index + 1]
    if (toMs === undefined || toMs - fromMs <= mostMs) return []
    let reached = fromMs
    let bare = 0
    for (const gap of gaps.toSorted((left, right) => left.fromMs - right.fromMs)) {
      if (gap.toMs <= reached || gap.fromMs >= toMs) continue
      bare += Math.max(0, gap.fromMs - reached)
      reached = Math.max(reached, Math.min(gap.toMs, toMs))
    }
    bare += Math.max(0, toMs - reached)
    return bare > mostMs ? [{ fromMs, toMs }] : []
  })
}
