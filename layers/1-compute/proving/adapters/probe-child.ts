/**
 * Program of the probe: a process of its own, so that neither its memory nor its threads stay with the agent.
 * `--threads N` (default 1); prints one JSON line, the `probeResult`.
 * Its second thread and further ones run this file too: one entry is enough when the product is packed.
 */

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { isMainThread, workerData } from 'node:worker_threads'
import type { ProbeResult } from '../protocol.ts'
import { probeBandwidth } from './bandwidth-probe.ts'
import { lastLevelCacheBytes } from './cache-size.ts'
import { GEMM_LIBRARY, probeGemm } from './gemm-probe.ts'
import { runStreamWorker, type StreamTask } from './stream-worker.ts'

const PLAN = { samples: 5, sampleMs: 250, warmupPasses: 2 }
/**
 * Edge of the matrices for one thread, and its grain. Beyond the second-level cache, yet a pass is short enough (10 ms)
 * to fall between two preemptions of a busy host: larger ones reached the same rate on a quiet machine and half of it
 * on a busy one.
 */
const GEMM_EDGE = 768
const GEMM_GRAIN = 96
const ASSUMED_CACHE_BYTES = 64 * 1024 ** 2
/** An array this many times the cache leaves nothing of it behind for the next pass (STREAM's run rules). */
const CACHE_MULTIPLE = 4
/** Part of the free memory that the three arrays may take together. */
const MEMORY_SHARE = 0.5

async function probe(threads: number): Promise<ProbeResult> {
  const cacheBytes = lastLevelCacheBytes()
  const arrayBytes = CACHE_MULTIPLE * (cacheBytes ?? ASSUMED_CACHE_BYTES)
  const bandwidth = await probeBandwidth(
    new URL(import.meta.url),
    arrayBytes,
    process.availableMemory() * MEMORY_SHARE,
    threads,
    PLAN,
  )
  // The same work per thread, or many threads would measure their own waking up.
  const size = GEMM_GRAIN * Math.ceil((GEMM_EDGE / GEMM_GRAIN) * Math.cbrt(threads))
  const fp32 = await probeGemm('fp32', size, threads, PLAN)
  const int8 = await probeGemm('int8', size, threads, PLAN)
  const { user, system } = process.cpuUsage()
  return {
    threads,
    gemmFp32: { shape: fp32.shape, flopsPerSecond: fp32.operationsPerSecond },
    gemmInt8: { shape: int8.shape, opsPerSecond: int8.operationsPerSecond },
    bandwidthRead: { bytes: bandwidth.readBytes, bytesPerSecond: bandwidth.readBytesPerSecond },
    bandwidthTriad: { bytes: bandwidth.triadBytes, bytesPerSecond: bandwidth.triadBytesPerSecond },
    lastLevelCacheBytes: cacheBytes,
    cpuSeconds: (user + system) / 1e6,
    library: GEMM_LIBRARY,
  }
}

if (isMainThread) {
  // Optimised machine code from the first call on: the baseline compiler's loops would measure the compiler.
  setFlagsFromString('--no-liftoff')
  const { values } = parseArgs({ options: { threads: { type: 'string', default: '1' } } })
  process.stdout.write(`${JSON.stringify(await probe(Math.max(1, Number(values.threads) || 1)))}\n`)
} else {
  runStreamWorker(workerData as StreamTask)
}
