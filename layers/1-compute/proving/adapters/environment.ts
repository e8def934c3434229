import os from 'node:os'
import { digestOf, type Json } from '@medley/kernel'
import type { ProvingResult, ProvingSpec } from '../protocol.ts'

/** What the measurement ran on and with, as far as it can change a figure. Codes and versions, no host names. */
export function captureEnvironment(spec: ProvingSpec, library: string): ProvingResult['environment'] {
  const engine = spec.engine
  const config = isObject(engine) ? engine.config : undefined
  return {
    cpuModel: os.cpus()[0]?.model.trim() ?? null,
    cpuCount: os.cpus().length,
    cpuUsable: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    memoryUsableBytes: memoryLimit(),
    platform: os.platform(),
    architecture: os.arch(),
    kernel: os.release(),
    nodeVersion: process.version,
    v8Version: process.versions.v8,
    probeLibrary: library,
    threads: spec.threads,
    engineFamily: isObject(engine) && typeof engine.family === 'string' ? engine.family : null,
    modelDigest: isObject(engine) && typeof engine.modelDigest === 'string' ? engine.modelDigest : null,
    configDigest: config === undefined ? null : digestOf(config),
    engineSpecDigest: digestOf(engine),
  }
}

/** Of the control group; null where there is none, which the kernel shows as a number beyond all memory. */
function memoryLimit(): number | null {
  const limit = process.constrainedMemory()
  return limit > 0 && limit <= os.totalmem() ? limit : null
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
