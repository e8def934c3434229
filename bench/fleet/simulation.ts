import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { SimulationPlan, SimulationProgress } from '@medley/agent'
import { z } from 'zod'
import type { RunningFactory } from '../../tests/factory.ts'
import { operatorToken } from './processes.ts'

const PROGRAM = fileURLToPath(new URL('simulator.ts', import.meta.url))
const createdToken = z.object({ token: z.string() })

interface Message {
  readonly ended: boolean
  readonly progress: SimulationProgress
}

export interface Simulation {
  progress(): SimulationProgress | null
  /** Resolves when the progress fits. @throws where that does not come in time, or the simulator ended */
  until(look: (progress: SimulationProgress) => boolean, withinMs: number): Promise<SimulationProgress>
  /** Hands in what waits and ends; resolves with the last word. */
  stop(): Promise<SimulationProgress>
}

/** Starts a fleet that joins the factory with one token good for each node once. */
export async function startSimulation(factory: RunningFactory, plan: SimulationPlan): Promise<Simulation> {
  const directory = await mkdtemp(join(tmpdir(), 'medley-simulated-'))
  const uses = plan.groups.reduce((sum, { nodes }) => sum + nodes, 0)
  const answer = await fetch(`${factory.consoleUrl}/api/v1/join-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken(factory.data)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ note: 'bench', uses, simulated: true }),
  })
  if (!answer.ok) throw new Error(`a join token was refused: ${answer.status} ${await answer.text()}`)
  const { token } = createdToken.parse(await answer.json())
  // Spans were read as milliseconds and are written as such.
  const task = { serverUrl: factory.consoleUrl, directory, plan: inSpans(plan) }
  const child = fork(PROGRAM, [JSON.stringify(task)], { env: { ...process.env, MEDLEY_JOIN_TOKEN: token } })
  let last: SimulationProgress | null = null
  let ended: SimulationProgress | null = null
  child.on('message', (message: Message) => {
    last = message.progress
    if (message.ended) ended = message.progress
  })
  const until = async (look: (progress: SimulationProgress) => boolean, withinMs: number) => {
    for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(200)) {
      if (last !== null && look(last)) return last
      if (hasEnded(child)) break
    }
    throw new Error(`the simulated fleet did not get there: ${JSON.stringify(last)}`)
  }
  return {
    progress: () => last,
    until,
    stop: async () => {
      if (!hasEnded(child) && ended === null) child.send('stop')
      while (!hasEnded(child)) await sleep(100)
      await rm(directory, { recursive: true, force: true })
      if (ended === null) throw new Error(`the simulator ended by itself: ${JSON.stringify(last)}`)
      return ended
    },
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

const SPANS = new Set(['at', 'for', 'every', 'interval', 'period'])

/** The plan as a file would say it. */
function inSpans(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSpans)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      SPANS.has(name) && typeof each === 'number' ? `${each}ms` : inSpans(each),
    ]),
  )
}
