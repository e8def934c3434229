import { createRequire } from 'node:module'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { type MatmulKind, matmulModel } from './matmul-model.ts'
import { bestPasses, type SamplePlan } from './sampling.ts'

export const GEMM_LIBRARY = `onnxruntime-node ${libraryVersion()}`

interface GemmSamples {
  readonly shape: number[]
  /** Operations (a multiplication and an addition count as two) per second of the best pass of each sample. */
  readonly operationsPerSecond: number[]
}

/** Sustained rate of `size`^3 matrix products on `threads` threads, by ONNX Runtime's own kernels. */
export async function probeGemm(
  kind: MatmulKind,
  size: number,
  threads: number,
  plan: SamplePlan,
): Promise<GemmSamples> {
  const elements = size * size
  const session = await InferenceSession.create(matmulModel(kind, size, weightsOf(kind, elements)), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  })
  try {
    const feeds = { x: inputOf(kind, elements, size) }
    const fetches = { y: outputOf(kind, elements, size) }
    const operations = 2 * size ** 3
    const seconds = await bestPasses(plan, async () => {
      const begin = performance.now()
      // The output is allocated once: fresh pages in every pass would be charged to the product.
      await session.run(feeds, fetches)
      return (performance.now() - begin) / 1000
    })
    return { shape: [size, size, size], operationsPerSecond: seconds.map((value) => operations / value) }
  } finally {
    await session.release()
  }
}

function weightsOf(kind: MatmulKind, elements: number): Uint8Array {
  if (kind === 'int8') return Uint8Array.from({ length: elements }, (_, index) => (index * 37) % 127)
  // Small normal numbers: denormals would run through a slow path, all zeros could be recognised.
  return new Uint8Array(Float32Array.from({ length: elements }, (_, index) => ((index % 101) - 50) / 101).buffer)
}

function inputOf(kind: MatmulKind, elements: number, size: number): Tensor {
  return kind === 'fp32'
    ? new Tensor(
        'float32',
        Float32Array.from({ length: elements }, (_, index) => ((index % 89) - 44) / 89),
        [size, size],
      )
    : new Tensor(
        'uint8',
        Uint8Array.from({ length: elements }, (_, index) => index % 251),
        [size, size],
      )
}

function outputOf(kind: MatmulKind, elements: number, size: number): Tensor {
  return kind === 'fp32'
    ? new Tensor('float32', new Float32Array(elements), [size, size])
    : new Tensor('int32', new Int32Array(elements), [size, size])
}

function libraryVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json')
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?'
}
