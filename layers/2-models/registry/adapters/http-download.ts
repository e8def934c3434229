import { type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { planResume, type ResumePlan } from '../domain/resume.ts'
import type { Http } from '../ports.ts'
import { fileBytes } from './file-bytes.ts'

export interface DownloadRequest {
  readonly url: string
  /** Where the bytes gather; what is there from an earlier try is gone on with. */
  readonly path: string
  readonly expectedBytes: number
  readonly http: Http
  readonly signal: AbortSignal
  readonly onBytes: (done: number) => void
  /** First pause between tries; it doubles up to 16 times itself. */
  readonly retryDelayMs: number
  /** A connection that brings nothing for this long is given up. */
  readonly idleTimeoutMs: number
}

/** Tries in a row that brought no new byte. */
const MAX_IDLE_TRIES = 4
const MAX_SERVER_DELAY_MS = 30_000

/** Before the first byte these mean that there is no way to the server: waiting would only delay the next source. */
const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

const remembered = z.object({ url: z.string(), validator: z.string().nullable() })

class Refused extends Error {}

/**
 * Downloads a file of known size, going on where an earlier try stopped (Range with If-Range, RFC 9110 section 14).
 * The caller checks the digest: a resumed file may be stitched from two versions where a server has no validators.
 *
 * @returns whether bytes of an earlier call were used.
 * @throws {Error} with the reason when the server refuses or tries without progress run out.
 */
export async function download(request: DownloadRequest): Promise<{ resumed: boolean }> {
  const start = await usableBytes(request)
  let best = start
  for (let idle = 0; ; ) {
    const outcome = await attempt(request).catch((error: unknown) => failure(request, error))
    if (outcome === 'done') return { resumed: start > 0 }
    const have = (await fileBytes(request.path)) ?? 0
    idle = have > best ? 0 : idle + 1
    best = Math.max(best, have)
    const isLost = outcome.kind === 'refused' || (outcome.kind === 'unreachable' && best === start)
    if (isLost || idle >= MAX_IDLE_TRIES) throw new Error(outcome.reason)
    const pause = outcome.afterMs ?? request.retryDelayMs * 2 ** Math.min(idle, 4)
    await sleep(Math.min(pause, MAX_SERVER_DELAY_MS), undefined, { signal: request.signal })
  }
}

interface Failure {
  readonly reason: string
  readonly afterMs: number | null
  readonly kind: 'passing' | 'unreachable' | 'refused'
}

function failure(request: DownloadRequest, error: unknown): Failure {
  request.signal.throwIfAborted()
  if (!(error instanceof Error)) return { reason: String(error), afterMs: null, kind: 'refused' }
  const cause = error.cause instanceof Error ? error.cause : null
  const code = cause && 'code' in cause ? String(cause.code) : null
  const reason = cause ? `${error.message}: ${cause.message || code}` : error.message
  if (error instanceof Refused) return { reason, afterMs: null, kind: 'refused' }
  return { reason, afterMs: null, kind: code !== null && UNREACHABLE.has(code) ? 'unreachable' : 'passing' }
}

async function attempt(request: DownloadRequest): Promise<'done' | Failure> {
  const offset = await usableBytes(request)
  request.onBytes(offset)
  if (offset === request.expectedBytes) return 'done'
  const stalled = new AbortController()
  const timer = setTimeout(() => {
    stalled.abort(new Error(`no byte for ${request.idleTimeoutMs / 1000} s`))
  }, request.idleTimeoutMs)
  try {
    const response = await request.http(request.url, {
      headers: await rangeHeaders(request, offset),
      signal: AbortSignal.any([request.signal, stalled.signal]),
      redirect: 'follow',
    })
    timer.refresh()
    const plan = planOf(request, offset, response)
    if (plan.kind === 'append' || plan.kind === 'overwrite') {
      return await takeBody(request, response, plan.kind === 'append' ? offset : 0, () => timer.refresh())
    }
    await response.body?.cancel()
    return await giveUp(request, plan)
  } finally {
    clearTimeout(timer)
  }
}

async function giveUp(request: DownloadRequest, plan: ResumePlan): Promise<Failure> {
  if (plan.kind === 'retry') return { reason: plan.reason, afterMs: plan.afterMs, kind: 'passing' }
  if (plan.kind === 'refuse') throw new Refused(plan.reason)
  await discardPartial(request.path)
  return { reason: 'the server has another version of the file', afterMs: 0, kind: 'passing' }
}

function planOf(request: DownloadRequest, offset: number, response: Response): ResumePlan {
  return planResume(offset, request.expectedBytes, {
    status: response.status,
    contentRange: response.headers.get('content-range'),
    contentLength: response.headers.get('content-length'),
    retryAfter: response.headers.get('retry-after'),
  })
}

async function takeBody(
  request: DownloadRequest,
  response: Response,
  from: number,
  onChunk: () => void,
): Promise<'done' | Failure> {
  if (from === 0) {
    const validator = response.headers.get('etag') ?? response.headers.get('last-modified')
    await writeFile(notePath(request.path), JSON.stringify({ url: request.url, validator }))
  }
  const handle = await open(request.path, from === 0 ? 'w' : 'r+')
  try {
    const end = await writeChunks(request, response, handle, from, onChunk)
    if (end === request.expectedBytes) return 'done'
    return { reason: `the connection ended after ${end} bytes`, afterMs: null, kind: 'passing' }
  } finally {
    await handle.close()
  }
}

async function writeChunks(
  request: DownloadRequest,
  response: Response,
  handle: FileHandle,
  from: number,
  onChunk: () => void,
): Promise<number> {
  let position = from
  for await (const chunk of response.body ?? []) {
    onChunk()
    if (position + chunk.length > request.expectedBytes) throw new Refused('the server sends more than the file has')
    await handle.write(chunk, 0, chunk.length, position)
    position += chunk.length
    request.onBytes(position)
  }
  return position
}

async function rangeHeaders(request: DownloadRequest, offset: number): Promise<Record<string, string>> {
  // A compressed body would have other offsets than the file.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' }
  if (offset === 0) return headers
  headers.range = `bytes=${offset}-`
  const validator = (await readNote(request.path))?.validator
  // A weak validator must not stand in If-Range (RFC 9110 section 13.1.5).
  if (validator && !validator.startsWith('W/')) headers['if-range'] = validator
  return headers
}

/** Bytes on disk that belong to this address; anything else is thrown away. */
async function usableBytes(request: DownloadRequest): Promise<number> {
  const bytes = (await fileBytes(request.path)) ?? 0
  const note = await readNote(request.path)
  if (bytes <= request.expectedBytes && note?.url === request.url) return bytes
  await discardPartial(request.path)
  return 0
}

export async function discardPartial(path: string): Promise<void> {
  await rm(path, { force: true })
  await rm(notePath(path), { force: true })
}

function notePath(path: string): string {
  return `${path}.json`
}

async function readNote(path: string): Promise<z.infer<typeof remembered> | null> {
  try {
    return remembered.parse(JSON.parse(await readFile(notePath(path), 'utf8')))
  } catch {
    return null
  }
}
