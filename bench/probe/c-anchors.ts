import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const FLAGS = ['-O3', '-march=native', '-ffast-math']

/** Rates by the names that the C programs print. */
export type Rates = Readonly<Record<string, number>>

export interface CAnchors {
  /** Such as `gcc 12.2.0 -O3 -march=native -ffast-math`. */
  readonly compiler: string
  /** Whether the product could be linked with an OpenBLAS found here. */
  readonly withBlas: boolean
  /** Bytes per second of copy, scale, add, triad and read on one thread. */
  stream(arrayBytes: number, passes: number): Promise<Rates>
  /** Operations per second of `gemm` and, where linked, of `blas` on one thread. */
  gemm(size: number, passes: number): Promise<Rates>
  remove(): Promise<void>
}

/** Compiles the anchors for this very machine; null without a compiler. */
export async function compileAnchors(): Promise<CAnchors | null> {
  const version = await run('gcc', ['-dumpfullversion']).catch(() => null)
  if (version === null) return null
  const directory = await mkdtemp(join(tmpdir(), 'medley-bench-'))
  const [stream, gemm] = [join(directory, 'stream'), join(directory, 'gemm')]
  try {
    await compile('stream.c', stream, [])
    const withBlas = await compile('gemm.c', gemm, ['-DWITH_BLAS', '-lopenblas']).then(
      () => true,
      () => false,
    )
    if (!withBlas) await compile('gemm.c', gemm, [])
    return {
      compiler: `gcc ${version.stdout.trim()} ${FLAGS.join(' ')}`,
      withBlas,
      stream: (arrayBytes, passes) => rates(stream, arrayBytes, passes),
      gemm: (size, passes) => rates(gemm, size, passes),
      remove: () => rm(directory, { recursive: true, force: true }),
    }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

async function compile(source: string, target: string, extra: readonly string[]): Promise<void> {
  await run('gcc', [...FLAGS, '-o', target, fileURLToPath(new URL(source, import.meta.url)), ...extra])
}

async function rates(program: string, ...sizes: readonly number[]): Promise<Rates> {
  const env = { ...process.env, OPENBLAS_NUM_THREADS: '1' }
  const { stdout } = await run(program, sizes.map(String), { env })
  const lines = stdout.trim().split('\n')
  return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name = '', value]) => [name, Number(value)]))
}
