import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { EngineFacts } from '@medley/serving/protocol'
import { getModuleVersion, type Llama, type LlamaModel } from 'node-llama-cpp'

const KV_ELEMENT_BYTES = 2 // f16, the only cache type this engine creates

/** What the loaded engine says of itself; `goldenAnswer` is filled in after the check. */
export async function readFacts(llama: Llama, model: LlamaModel): Promise<EngineFacts> {
  const libraries = loadedLibraries()
  return {
    engineVersion: `llama.cpp ${llama.llamaCppRelease.release} by node-llama-cpp ${await getModuleVersion()}`,
    binaryVariant: variantOf(libraries),
    binaryDigest: await digestOfFiles(libraries),
    modelParameters: countParameters(model),
    modelBytes: model.size,
    trainContextTokens: model.trainContextSize,
    embeddingLength: model.embeddingVectorSize,
    kvBytesPerToken: kvBytesPerToken(model),
    goldenAnswer: null,
  }
}

/** Files of llama.cpp that are mapped into this process, sorted; the loader's own list, on every platform. */
function loadedLibraries(): readonly string[] {
  if (process.report === undefined) return []
  // Not in the type definitions yet; without it the report looks up host names.
  Reflect.set(process.report, 'excludeNetwork', true)
  const report = process.report.getReport() as { sharedObjects?: readonly string[] }
  return (report.sharedObjects ?? []).filter((path) => /llama|ggml/.test(basename(path))).sort()
}

/** llama.cpp ships its CPU kernels in variants (`libggml-cpu-zen4.so`) and loads the best one that runs here. */
function variantOf(libraries: readonly string[]): string {
  const name = libraries.map((path) => basename(path)).find((file) => /ggml-cpu/.test(file))
  return name === undefined ? 'unknown' : (/ggml-cpu-([a-z0-9_.]+?)\.(?:so|dylib|dll)$/.exec(name)?.[1] ?? 'generic')
}

/** One digest over all files in the order of their names: which kernels gave the answers. */
async function digestOfFiles(paths: readonly string[]): Promise<string> {
  const total = createHash('sha256')
  for (const path of paths) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    total.update(`${basename(path)} ${hash.digest('hex')}\n`)
  }
  return `sha256:${total.digest('hex')}`
}

function countParameters(model: LlamaModel): number | null {
  const tensors = model.fileInfo.fullTensorInfo
  if (tensors === undefined) return null
  return tensors.reduce(
    (sum, tensor) => sum + tensor.dimensions.reduce<number>((product, n) => product * Number(n), 1),
    0,
  )
}

/** Bytes of attention state per token: layers x key-value heads x (key + value length) x element size. */
function kvBytesPerToken(model: LlamaModel): number | null {
  const { architectureMetadata } = model.fileInfo
  const attention = architectureMetadata.attention
  const layers = architectureMetadata.block_count
  const heads = attention?.head_count_kv ?? attention?.head_count
  const queryHeads = attention?.head_count
  if (typeof layers !== 'number' || typeof heads !== 'number' || typeof queryHeads !== 'number') return null
  const perHead = model.embeddingVectorSize / queryHeads
  const key = attention?.key_length ?? perHead
  const value = attention?.value_length ?? perHead
  return layers * heads * (Number(key) + Number(value)) * KV_ELEMENT_BYTES
}
