import { describe, expect, it } from 'vitest'
import { type BringUpTask, createBringUp } from './bring-up.ts'

type Step = BringUpTask['step']

function bringUpOf(tasks: readonly BringUpTask[], rounds: number) {
  const stop = new AbortController()
  let slept = 0
  const bringUp = createBringUp({
    tasks,
    onChange: () => {},
    onError: () => {},
    sleep: async () => {
      slept += 1
      if (slept >= rounds) stop.abort()
    },
  })
  return { bringUp, run: () => bringUp.run(stop.signal) }
}

function task(
  step: Step,
  needs: readonly Step[],
  outcomes: readonly ('done' | 'skipped' | Error)[],
  more: Partial<BringUpTask> = {},
) {
  let calls = 0
  const made: BringUpTask = {
    step,
    needs,
    ...more,
    run: async () => {
      const outcome = outcomes[Math.min(calls, outcomes.length - 1)] ?? 'done'
      calls += 1
      if (outcome instanceof Error) throw outcome
      return outcome
    },
  }
  return { made, calls: () => calls }
}

describe('bring-up', () => {
  it('tries a failed step again until its remedy is there, and then what waited for it', async () => {
    const model = task('model', [], [new Error('no network'), new Error('no network'), 'done'])
    const deployment = task('deployment', ['model'], ['done'])
    const { bringUp, run } = bringUpOf([model.made, deployment.made], 9)
    await run()
    expect(bringUp.steps().map(({ state }) => state)).toEqual(['done', 'done'])
    expect([model.calls(), deployment.calls()]).toEqual([3, 1])
  })

  it('is settled after the first round, also when a step failed, and says what is missing', async () => {
    const chips = task('chips', [], ['done'])
    const model = task('model', [], [new Error('no network')])
    const deployment = task('deployment', ['chips', 'model'], ['done'])
    const { bringUp, run } = bringUpOf([chips.made, model.made, deployment.made], 1)
    expect(bringUp.settled()).toBe(false)
    await run()
    expect(bringUp.settled()).toBe(true)
    expect(bringUp.steps()[2]?.detail).toEqual({ code: 'server.bring-up.blocked', params: { needs: 'model' } })
    expect(deployment.calls()).toBe(0)
  })

  it('does not repeat a measurement beside a serving model', async () => {
    const proving = task('proving', [], [new Error('too slow')], { tryAgain: false })
    const model = task('model', [], [new Error('a'), new Error('b'), 'done'])
    const { bringUp, run } = bringUpOf([proving.made, model.made], 9)
    await run()
    expect([proving.calls(), model.calls()]).toEqual([1, 3])
    expect(bringUp.steps()[0]?.state).toBe('failed')
  })
})
