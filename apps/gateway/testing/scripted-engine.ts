import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface EngineRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type EngineScript = (request: EngineRequest, response: ServerResponse) => void | Promise<void>

export interface ScriptedEngine {
  readonly endpoint: string
  readonly requests: EngineRequest[]
  /** Request ids whose connection was closed before the answer had ended. */
  readonly aborted: string[]
  script: EngineScript
  healthy: boolean
  close(): Promise<void>
}

/** A real HTTP server on a Unix socket that answers as a test says: an upstream, not a stand-in for our code. */
export async function startEngine(socketPath: string, script: EngineScript = answerChat): Promise<ScriptedEngine> {
  const engine: ScriptedEngine = {
    endpoint: `unix:${socketPath}`,
    requests: [],
    aborted: [],
    script,
    healthy: true,
    close: () => closeServer(server),
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = request.url ?? ''
    if (path === '/health') {
      response.end(JSON.stringify({ state: engine.healthy ? 'ready' : 'starting' }))
      return
    }
    if (path.startsWith('/internal/requests/')) {
      response.end(JSON.stringify({ promptTokens: 11, cachedTokens: 2, completionTokens: 3, state: 'aborted' }))
      return
    }
    const received = { path, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') }
    engine.requests.push(received)
    response.on('close', () => {
      if (!response.writableFinished) engine.aborted.push(String(request.headers['x-request-id']))
    })
    await engine.script(received, response)
  })
  rmSync(socketPath, { force: true })
  server.listen(socketPath)
  await once(server, 'listening')
  return engine
}

async function closeServer(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close').catch(() => {})
}

const WORDS = ['The', ' capital', ' is', ' Paris', '.']

function chunkOf(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'tiny', choices })
}

/** The events of a short streamed answer, with the engine's usage lines, `[DONE]` left out. */
export function chatEvents(): string[] {
  return [
    `: usage prompt=7 cached=1 completion=0\ndata: ${chunkOf({ role: 'assistant' })}\n\n`,
    ...WORDS.map(
      (content, index) => `: usage prompt=7 cached=1 completion=${index + 1}\ndata: ${chunkOf({ content })}\n\n`,
    ),
    `data: ${chunkOf({}, 'stop')}\n\n`,
  ]
}

export function beginEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
}

export function answerChat({ body }: EngineRequest, response: ServerResponse): void {
  const { stream } = JSON.parse(body) as { stream?: boolean }
  if (stream === true) {
    beginEvents(response)
    for (const event of chatEvents()) response.write(event)
    response.end('data: [DONE]\n\n')
    return
  }
  const message = { role: 'assistant', content: WORDS.join('') }
  const answer = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'tiny',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12, prompt_tokens_details: { cached_tokens: 1 } },
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(answer))
}
