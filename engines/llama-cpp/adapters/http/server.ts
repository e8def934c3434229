import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type EngineHealth, measureRequest } from '../../protocol.ts'
import type { Engine } from '../core/engine.ts'
import { measure } from '../core/measure.ts'
import { RequestError, unavailable } from '../core/request-error.ts'
import { answerChat, answerCompletion, type Exchange } from './answer.ts'
import { answerEmbeddings } from './embeddings.ts'
import { abortOnClose, readJson, sendError, sendJson } from './io.ts'
import { parseBody } from './schemas.ts'

/** What the server asks the process it runs in. */
export interface Lifecycle {
  health(): EngineHealth
  /** Null until the engine is ready, and again from the moment it drains. */
  engine(): Engine | null
}

type Answer = (engine: Engine, exchange: Exchange) => Promise<void>

const POSTS: Readonly<Record<string, Answer>> = {
  '/v1/chat/completions': answerChat,
  '/v1/completions': answerCompletion,
  '/v1/embeddings': answerEmbeddings,
  '/internal/measure': async (engine, { body, response }) => {
    const result = await measure(engine, parseBody(measureRequest, body), abortOnClose(response))
    sendJson(response, 200, result)
  },
}

const RECORD_PATH = '/internal/requests/'
const NOT_READY_RETRY_SECONDS = 2

/** HTTP/1.1 server of one engine; answers `/health` before the model is loaded. */
export function createEngineServer(lifecycle: Lifecycle): Server {
  const server = createServer((request, response) => {
    route(lifecycle, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendError(response, error)
    })
  })
  // Answers take as long as they take; the gateway in front has the time-outs.
  server.requestTimeout = 0
  server.keepAliveTimeout = 60_000
  return server
}

async function route(lifecycle: Lifecycle, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://engine').pathname
  if (request.method === 'GET' && path === '/health') return sendJson(response, 200, lifecycle.health())
  if (request.method === 'GET' && path.startsWith(RECORD_PATH)) return sendRecord(lifecycle, path, response)
  const handler = request.method === 'POST' ? POSTS[path] : undefined
  if (handler === undefined) {
    throw new RequestError(404, `There is no ${request.method} ${path} here.`, { code: 'not_found' })
  }
  const body = await readJson(request)
  const engine = readyEngine(lifecycle)
  await handler(engine, { requestId: requestIdOf(request), body, response })
}

function sendRecord(lifecycle: Lifecycle, path: string, response: ServerResponse): void {
  const id = decodeURIComponent(path.slice(RECORD_PATH.length))
  const record = lifecycle.engine()?.ledger.find(id) ?? null
  if (record === null) throw new RequestError(404, `No request ${id} is remembered.`, { code: 'not_found' })
  sendJson(response, 200, record)
}

/** @throws {RequestError} 503 while the engine loads, checks itself, drains or has failed. */
function readyEngine(lifecycle: Lifecycle): Engine {
  const { state } = lifecycle.health()
  const engine = state === 'ready' ? lifecycle.engine() : null
  if (engine === null) throw unavailable(`The engine is ${state}.`, `engine_${state}`, NOT_READY_RETRY_SECONDS)
  return engine
}

/** The gateway names each request; a request without a name gets one, as its record is found by it. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}
