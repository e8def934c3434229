import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { spawnProbe } from '../index.ts'
import { lastLevelCacheBytes } from './cache-size.ts'
import { matmulModel } from './matmul-model.ts'
import { streamModule } from './stream-wat.ts'
import { MEMORY_OFFSET } from './stream-worker.ts'
import { webAssembly } from './web-assembly.ts'

describe('matmulModel', () => {
  it('is a model that the library loads and that multiplies', async () => {
    const identityTwice = new Uint8Array(Float32Array.of(2, 0, 0, 2).buffer)
    const fp32 = await InferenceSession.create(matmulModel('fp32', 2, identityTwice))
    const x = new Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2])
    expect((await fp32.run({ x })).y?.data).toEqual(Float32Array.of(2, 4, 6, 8))
    const int8 = await InferenceSession.create(matmulModel('int8', 2, Uint8Array.from([0xff, 0, 0, 2])))
    const bytes = new Tensor('uint8', Uint8Array.of(1, 2, 3, 250), [2, 2])
    expect((await int8.run({ x: bytes })).y?.data).toEqual(Int32Array.of(-1, 4, -3, 500))
  })
})

describe('streamModule', () => {
  it('reads every element and writes the triad over the whole slice', async () => {
    const memory = new webAssembly.Memory({ initial: 2, maximum: 2, shared: true })
    const parsed = (await wabt()).parseWat('stream.wat', streamModule(2), { simd: true, threads: true })
    const module = await webAssembly.compile(new Uint8Array(parsed.toBinary({}).buffer))
    const { exports } = new webAssembly.Instance(module, { env: { memory } })
    const kernels = exports as {
      fill(from: number, end: number, value: number): void
      read(from: number, end: number): number
      triad(from: number, end: number, left: number, right: number, factor: number): void
    }
    const bytes = 2048
    const [a, b, c] = [MEMORY_OFFSET, MEMORY_OFFSET + bytes, MEMORY_OFFSET + 2 * bytes]
    kernels.fill(b, b + bytes, 2)
    kernels.fill(c, c + bytes, 0.5)
    kernels.triad(a, a + bytes, b, c, 3)
    expect([...new Float64Array(memory.buffer, a, bytes / 8)]).toEqual(Array(bytes / 8).fill(3.5))
    expect(kernels.read(a, a + bytes)).toBe((3.5 * bytes) / 8)
    expect(kernels.read(a, b + bytes)).toBe(((3.5 + 2) * bytes) / 8)
  })
})

describe('spawnProbe', () => {
  it('measures five samples of each rate, over arrays of at least four times the cache', async () => {
    const probe = await spawnProbe({ threads: 2, signal: new AbortController().signal })
    const samples = [
      probe.gemmFp32.flopsPerSecond,
      probe.gemmInt8.opsPerSecond,
      probe.bandwidthRead.bytesPerSecond,
      probe.bandwidthTriad.bytesPerSecond,
    ]
    for (const rates of samples) {
      expect(rates).toHaveLength(5)
      expect(Math.min(...rates)).toBeGreaterThan(0)
    }
    expect(probe.threads).toBe(2)
    expect(probe.bandwidthRead.bytes).toBeGreaterThanOrEqual(4 * (probe.lastLevelCacheBytes ?? 0))
  }, 120_000)

  it('ends the process and says so when it is aborted', async () => {
    const control = new AbortController()
    const run = spawnProbe({ threads: 1, signal: control.signal })
    control.abort()
    await expect(run).rejects.toMatchObject({ code: 'proving.probe.failed' })
  })

  it('says what a probe that cannot run printed', async () => {
    const entry = new URL('./no-such-program.ts', import.meta.url)
    await expect(spawnProbe({ threads: 1, signal: new AbortController().signal, entry })).rejects.toMatchObject({
      code: 'proving.probe.failed',
      detail: expect.stringContaining('no-such-program'),
    })
  })
})

describe('lastLevelCacheBytes', () => {
  it.runIf(existsSync('/sys/devices/system/cpu/cpu0/cache/index0'))('agrees with the system', () => {
    const bytes = lastLevelCacheBytes()
    expect(bytes).toBeGreaterThan(0)
    const page = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }))
    expect((bytes ?? 1) % page).toBe(0)
  })
})
