import { parentPort } from 'node:worker_threads'
import { type WasmMemory, type WasmModule, webAssembly } from './web-assembly.ts'

/** Bytes left free at the start of the memory. */
export const MEMORY_OFFSET = 65_536

export const KERNELS = ['fill', 'read', 'readAll', 'triad'] as const
export type Kernel = (typeof KERNELS)[number]

/** Places in the shared control words. */
export const CONTROL = { turn: 0, kernel: 1, done: 2, failed: 3 } as const

export interface StreamTask {
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly control: Int32Array
  /** Begin and end of the last kernel of each thread, in seconds of the host's monotonic clock. */
  readonly times: Float64Array
  readonly index: number
  readonly arrayBytes: number
  readonly sliceBytes: number
}

interface StreamExports {
  fill(from: number, end: number, value: number): void
  read(from: number, end: number): number
  triad(from: number, end: number, left: number, right: number, factor: number): void
}

/**
 * One thread of the bandwidth probe: waits for its turn, runs the kernel over its own slice, says when it began and
 * ended. Never returns; the main thread ends it. Threads are woken by futex, not messages, so that they begin
 * together.
 */
export function runStreamWorker(task: StreamTask): void {
  const instance = new webAssembly.Instance(task.module, { env: { memory: task.memory } })
  const kernels = instance.exports as unknown as StreamExports
  parentPort?.postMessage('ready')
  for (let turn = 0; ; turn += 1) {
    while (Atomics.load(task.control, CONTROL.turn) === turn) Atomics.wait(task.control, CONTROL.turn, turn)
    try {
      task.times[2 * task.index] = monotonicSeconds()
      runKernel(kernels, KERNELS[Atomics.load(task.control, CONTROL.kernel)] ?? 'read', task)
      task.times[2 * task.index + 1] = monotonicSeconds()
    } catch {
      Atomics.add(task.control, CONTROL.failed, 1)
    }
    Atomics.add(task.control, CONTROL.done, 1)
    Atomics.notify(task.control, CONTROL.done)
  }
}

function runKernel(kernels: StreamExports, kernel: Kernel, task: StreamTask): void {
  const { arrayBytes, sliceBytes } = task
  const from = MEMORY_OFFSET + task.index * sliceBytes
  const end = from + sliceBytes
  if (kernel === 'read' || kernel === 'readAll') {
    for (let array = 0; array < (kernel === 'read' ? 1 : 3); array += 1) {
      // An impossible sum is looked at, so that the reads cannot be left out.
      if (Number.isNaN(kernels.read(from + array * arrayBytes, end + array * arrayBytes))) throw new Error('no number')
    }
  } else if (kernel === 'triad') {
    kernels.triad(from, end, from + arrayBytes, from + 2 * arrayBytes, 3)
  } else {
    // Each thread touches its own pages first, so that they lie on its own NUMA node.
    for (const [array, value] of [1, 2, 0.5].entries()) {
      kernels.fill(from + array * arrayBytes, end + array * arrayBytes, value)
    }
  }
}

/** Unlike `performance.now()`, of which each thread has its own origin. */
function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9
}
