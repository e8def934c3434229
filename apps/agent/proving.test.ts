import { once } from 'node:events'
import type { Workload, WorkloadStatus } from '@medley/fleet/protocol'
import { provingResult } from '@medley/proving/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { engine, isAlive, PATIENCE_MS, setUp, statusOf, tearDown, until } from './fixtures/factory.ts'

afterEach(tearDown)

function proving(id: string, script: string, deadlineMs = PATIENCE_MS): Workload {
  const cases = [
    { id: 'prefill', event: 'prefill', promptTokens: 64, generateTokens: 1, repeats: 2 },
    { id: 'decode', event: 'decode', promptTokens: 8, generateTokens: 32, repeats: 2 },
  ]
  const spec = {
    runId: id,
    suite: 'quick',
    chipUuid: 'cpu-1',
    threads: 1,
    engine: engine(id, script).spec,
    cases,
    deadlineMs,
  }
  return { id, kind: 'proving', digest: 'd1', spec }
}

function pidOfResult(status: WorkloadStatus): number {
  const { engine: facts } = provingResult.parse(status.result)
  return typeof facts === 'object' && facts !== null && 'pid' in facts ? Number(facts.pid) : 0
}

describe('a proving run', { timeout: 4 * PATIENCE_MS }, () => {
  it('is done once, its engine gone after it, its outcome kept over kill -9 of the agent', async () => {
    const { server, startAgent } = await setUp()
    server.want([proving('run_1', 'ready')])
    const first = await startAgent()
    const done = await until('done', () => {
      const found = statusOf(server, 'run_1')
      return found?.state === 'done' && found
    })
    const result = provingResult.parse(done.result)
    expect(result.cases.map((item) => [item.id, item.seconds])).toEqual([
      ['prefill', [1, 1]],
      ['decode', [2, 2]],
    ])
    await until('engine gone', () => !isAlive(pidOfResult(done)))
    const boot = server.last()?.bootId
    first.kill('SIGKILL')
    await once(first, 'exit')
    await startAgent()
    const again = await until('reported by the new agent', () => {
      const found = server.last()?.bootId !== boot && statusOf(server, 'run_1')
      return found && found.state === 'done' && found
    })
    expect(again.result).toEqual(done.result)
  })

  it('reports progress, and ends with its engine when nobody wants it any more', async () => {
    const { server, startAgent } = await setUp()
    server.want([proving('run_1', 'measure:600000')])
    await startAgent()
    const status = await until('measuring', () => {
      const found = statusOf(server, 'run_1')
      return found?.progress?.step === 'prefill' && found
    })
    expect(status).toMatchObject({ state: 'checking', progress: { done: 0, total: 2, unit: 'repeat' } })
    server.want([])
    await until('gone', () => server.last()?.workloads.length === 0)
    expect(statusOf(server, 'run_1')).toBeUndefined()
  })

  it('fails with a code when its engine ends, and when its time is over', async () => {
    const { server, startAgent } = await setUp()
    server.want([proving('run_1', 'exit'), proving('run_2', 'measure:600000', 3_000)])
    await startAgent()
    await until('both failed', () => server.last()?.workloads.filter((found) => found.state === 'failed').length === 2)
    expect(statusOf(server, 'run_1')?.error).toMatchObject({
      code: 'agent.engine.exited',
      params: { line: 'no such model' },
    })
    expect(statusOf(server, 'run_2')?.error?.code).toBe('proving.deadline.exceeded')
  })
})
