import { setTimeout as sleep } from 'node:timers/promises'
import type { UsageEvent } from '@medley/server/schemas'
import type { RunningFactory } from '../factory.ts'
import { type LoggedRequest, startLoad } from './load.ts'
import { type ChildName, eventually, isRunning, type Observer } from './observer.ts'
import type { Random } from './random.ts'

const TARGETS = ['server', 'gateway', 'agent', 'postgres', 'up'] as const
type Target = (typeof TARGETS)[number]

export interface Ordeal {
  readonly log: readonly LoggedRequest[]
  readonly rows: readonly UsageEvent[]
  /** Engine processes before the first kill and after the last: adopted, so one and the same. */
  readonly enginePids: readonly [before: number, after: number]
  readonly kills: readonly { readonly target: Target; readonly backAfterSeconds: number }[]
}

/**
 * Kills each process of the factory `killsEach` times, in a seeded order and at seeded moments, under a steady load
 * of at least `leastRequests`. Then waits until everything is metered and returns both books.
 */
export async function ordeal(
  factory: RunningFactory,
  observer: Observer,
  random: Random,
  { killsEach, leastRequests }: { readonly killsEach: number; readonly leastRequests: number },
): Promise<Ordeal> {
  const before = observer.enginePid()
  const kills: { target: Target; backAfterSeconds: number }[] = []
  const load = startLoad(factory, random, 4)
  try {
    for (const target of random.shuffle(TARGETS.flatMap((each) => Array<Target>(killsEach).fill(each)))) {
      await sleep(random.between(100, 1500))
      const startedAt = performance.now()
      await (target === 'up' ? killUp(factory) : killChild(observer, target))
      await eventually(`${target} is back`, async () => (await observer.status()).ready && (await serves(factory)))
      kills.push({ target, backAfterSeconds: Math.round((performance.now() - startedAt) / 100) / 10 })
    }
    await eventually('enough requests', () => load.log.filter(({ end }) => end !== 'unsent').length >= leastRequests)
  } finally {
    await load.stop()
  }
  const after = observer.enginePid()
  await eventually('the journal is shipped', async () => {
    if (!observer.isShipped()) return false
    // A request whose client left may still be on its way into the journal.
    await sleep(1_000)
    return observer.isShipped()
  })
  return { log: load.log, rows: await observer.usage(), enginePids: [before, after], kills }
}

async function killUp(factory: RunningFactory): Promise<void> {
  await factory.crash()
  await factory.restart()
}

async function killChild(observer: Observer, name: ChildName): Promise<void> {
  const pid = observer.pidOf(name)
  process.kill(pid, 'SIGKILL')
  await eventually(`another ${name}`, () => observer.pidOf(name) !== pid && !isRunning(pid))
}

async function serves(factory: RunningFactory): Promise<boolean> {
  return (await fetch(`${factory.gatewayUrl}/readyz`)).status === 200
}
