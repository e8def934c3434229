import { Worker } from 'node:worker_threads'
import wabt from 'wabt'
import { bestPasses, type SamplePlan } from './sampling.ts'
import { streamModule } from './stream-wat.ts'
import { CONTROL, KERNELS, type Kernel, MEMORY_OFFSET, type StreamTask } from './stream-worker.ts'
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly.ts'

const PAGE = 65_536
/** Alignment of the arrays: a page of the host, so that no slice shares one with another thread's. */
const ALIGNMENT = 4096
/** A 32-bit memory has 65,536 pages; the first stays unused. */
const MOST_BYTES = 65_000 * PAGE

interface BandwidthSamples {
  /** Bytes that one pass moves. */
  readonly readBytes: number
  readonly triadBytes: number
  readonly readBytesPerSecond: number[]
  readonly triadBytesPerSecond: number[]
}

/**
 * Memory bandwidth of `threads` threads by a streaming read of one array and by the triad `a = b + k * c` over three.
 *
 * Counted as STREAM counts: the triad moves three arrays; the lines that a store fetches first are not counted.
 *
 * @param workerEntry Program of the threads: calls {@link runStreamWorker}.
 * @param wantedArrayBytes Bytes of each array; made smaller where the 32-bit memory or `mostBytes` ends.
 */
export async function probeBandwidth(
  workerEntry: URL,
  wantedArrayBytes: number,
  mostBytes: number,
  threads: number,
  plan: SamplePlan,
): Promise<BandwidthSamples> {
  const grain = threads * ALIGNMENT
  const limit = Math.min(wantedArrayBytes, Math.floor((Math.min(MOST_BYTES, mostBytes) - MEMORY_OFFSET) / 3))
  const arrayBytes = Math.max(grain, Math.floor(limit / grain) * grain)
  const pages = Math.ceil((MEMORY_OFFSET + 3 * arrayBytes) / PAGE)
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const team = await startTeam(workerEntry, await assemble(pages), memory, arrayBytes, threads)
  try {
    team.run('fill')
    // An array that had to be made smaller than asked for is not read alone, but with the two others behind it.
    const shrunk = arrayBytes < Math.floor(wantedArrayBytes / grain) * grain
    const read = await bestPasses(plan, () => team.run(shrunk ? 'readAll' : 'read'))
    const readBytes = shrunk ? 3 * arrayBytes : arrayBytes
    const triad = await bestPasses(plan, () => team.run('triad'))
    return {
      readBytes,
      triadBytes: 3 * arrayBytes,
      readBytesPerSecond: read.map((seconds) => readBytes / seconds),
      triadBytesPerSecond: triad.map((seconds) => (3 * arrayBytes) / seconds),
    }
  } finally {
    await team.stop()
  }
}

async function assemble(pages: number): Promise<WasmModule> {
  const assembler = await wabt()
  const parsed = assembler.parseWat('stream.wat', streamModule(pages), { simd: true, threads: true })
  try {
    return await webAssembly.compile(new Uint8Array(parsed.toBinary({}).buffer))
  } finally {
    parsed.destroy()
  }
}

interface Team {
  /** Seconds from the first thread's start to the last thread's end. */
  run(kernel: Kernel): number
  stop(): Promise<void>
}

async function startTeam(
  workerEntry: URL,
  module: WasmModule,
  memory: WasmMemory,
  arrayBytes: number,
  threads: number,
): Promise<Team> {
  const control = new Int32Array(new SharedArrayBuffer(16))
  const times = new Float64Array(new SharedArrayBuffer(16 * threads))
  const sliceBytes = arrayBytes / threads
  const workers = Array.from({ length: threads }, (_, index) => {
    const task: StreamTask = { module, memory, control, times, index, arrayBytes, sliceBytes }
    return new Worker(workerEntry, { workerData: task })
  })
  await Promise.all(workers.map(ready))
  return {
    run(kernel) {
      Atomics.store(control, CONTROL.done, 0)
      Atomics.store(control, CONTROL.kernel, KERNELS.indexOf(kernel))
      Atomics.add(control, CONTROL.turn, 1)
      Atomics.notify(control, CONTROL.turn)
      for (let done = 0; done < threads; done = Atomics.load(control, CONTROL.done)) {
        Atomics.wait(control, CONTROL.done, done, 1000)
      }
      if (Atomics.load(control, CONTROL.failed) > 0) throw new Error(`streaming kernel ${kernel} failed`)
      const begins = workers.map((_, index) => times[2 * index] ?? Number.NaN)
      const ends = workers.map((_, index) => times[2 * index + 1] ?? Number.NaN)
      return Math.max(...ends) - Math.min(...begins)
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
}
