import { describe, expect, it } from 'vitest'
import { type MeasuredEngine, planQuickRun, type QuickProvingDeps, runQuickProving } from '../index.ts'
import { type MeasureRequest, type ProbeResult, type ProvingProgress, provingResult } from '../protocol.ts'

const spec = planQuickRun({ uuid: 'chip', computeUnits: 2 }, { family: 'x', config: {} }, { runId: 'run_1' })

const probe: ProbeResult = {
  threads: 1,
  gemmFp32: { shape: [8, 8, 8], flopsPerSecond: [1] },
  gemmInt8: { shape: [8, 8, 8], opsPerSecond: [1] },
  bandwidthRead: { bytes: 1, bytesPerSecond: [1] },
  bandwidthTriad: { bytes: 3, bytesPerSecond: [1] },
  lastLevelCacheBytes: null,
  cpuSeconds: 0,
  library: 'none',
}

/** The agent's side of the port, as a program that answers from memory. */
function agent(measure: (body: MeasureRequest, signal: AbortSignal) => Promise<unknown>) {
  const seen: { steps: string[]; bodies: MeasureRequest[]; stops: number } = { steps: [], bodies: [], stops: 0 }
  const engine: MeasuredEngine = {
    measure(body, signal) {
      seen.bodies.push(body)
      return measure(body, signal)
    },
    facts: () => ({ engineVersion: '1' }),
    stop: async () => {
      seen.stops += 1
    },
  }
  const deps: QuickProvingDeps = {
    spawnProbe: async () => probe,
    startEngine: async () => engine,
    onProgress: ({ step, done }: ProvingProgress) => seen.steps.push(`${step} ${done}`),
    clock: { now: () => 1000 },
    signal: new AbortController().signal,
  }
  return { seen, deps, engine }
}

async function answer(body: MeasureRequest): Promise<unknown> {
  const repeat = { promptSeconds: 2, generateSeconds: 1, cpuSeconds: 0.9, promptCpuSeconds: 1.9 }
  const counts = { promptTokens: body.promptTokens, generatedTokens: body.generateTokens }
  return { repeats: Array.from({ length: body.repeats }, () => ({ ...repeat, ...counts })) }
}

const never = (): Promise<never> => new Promise(() => undefined)

describe('runQuickProving', () => {
  it('probes first, then measures each case, and frees the chip', async () => {
    const { seen, deps } = agent(answer)
    const result = await runQuickProving(spec, deps)
    expect(provingResult.parse(result)).toEqual(result)
    expect(seen.steps).toEqual(['probe 0', 'probe 1', 'engine 0', 'prefill 0', 'prefill 5', 'decode 0', 'decode 5'])
    expect(seen.bodies).toEqual([
      { promptTokens: 256, generateTokens: 0, repeats: 5, warmup: 1, concurrency: 1 },
      { promptTokens: 32, generateTokens: 64, repeats: 5, warmup: 1, concurrency: 1 },
    ])
    expect(result.cases).toMatchObject([
      {
        event: 'prefill',
        seconds: [2, 2, 2, 2, 2],
        cpuSeconds: [1.9, 1.9, 1.9, 1.9, 1.9],
        tokens: [256, 256, 256, 256, 256],
      },
      { event: 'decode', seconds: [1, 1, 1, 1, 1], tokens: [64, 64, 64, 64, 64] },
    ])
    expect(result.environment).toMatchObject({ threads: 1, engineFamily: 'x', nodeVersion: process.version })
    expect(seen.stops).toBe(1)
  })

  it('leaves out repeats that a client disturbed', async () => {
    const { deps } = agent(async (body) => {
      const { repeats } = (await answer(body)) as { repeats: object[] }
      return { repeats: repeats.map((repeat, index) => ({ ...repeat, disturbed: index === 2 })) }
    })
    expect((await runQuickProving(spec, deps)).cases.map(({ seconds }) => seconds.length)).toEqual([4, 4])
  })

  it('ends with an explicit error after the deadline and frees the chip', async () => {
    const { seen, deps } = agent(never)
    await expect(runQuickProving({ ...spec, deadlineMs: 50 }, deps)).rejects.toMatchObject({
      code: 'proving.deadline.exceeded',
      params: { seconds: 0.05, step: 'prefill' },
    })
    expect(seen.stops).toBe(1)
  })

  it('stops an engine that becomes ready only after the deadline', async () => {
    const { seen, deps, engine } = agent(answer)
    const startEngine = (_spec: unknown, signal: AbortSignal): Promise<MeasuredEngine> =>
      new Promise((resolve) => signal.addEventListener('abort', () => setImmediate(() => resolve(engine))))
    const run = runQuickProving({ ...spec, deadlineMs: 50 }, { ...deps, startEngine })
    await expect(run).rejects.toMatchObject({ code: 'proving.deadline.exceeded', params: { step: 'engine' } })
    expect(seen.stops).toBe(1)
  })

  it('tells a cancelled run from a failed engine', async () => {
    const control = new AbortController()
    const cancelled = agent(never)
    const run = runQuickProving(spec, { ...cancelled.deps, signal: control.signal })
    control.abort()
    await expect(run).rejects.toMatchObject({ code: 'proving.run.cancelled' })
    const failing = agent(async () => ({ repeats: 'none' }))
    await expect(runQuickProving(spec, failing.deps)).rejects.toMatchObject({
      code: 'proving.engine.failed',
      params: { step: 'prefill', case: 'prefill-256' },
    })
    expect(failing.seen.stops).toBe(1)
  })
})
