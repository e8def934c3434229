import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { EngineLaunch } from '@medley/serving'
import type { EngineSpec } from '@medley/serving/protocol'
import { waitFor } from '@medley/testkit'
import { createLlamaCppAdapter } from '../index.ts'
import { type EngineHealth, engineHealth } from '../protocol.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: answers of a foreign API are picked apart by the tests
  readonly json: any
}

export interface Call {
  readonly body?: unknown
  readonly raw?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  readonly onData?: (text: string) => void
}

/** A real child process as the agent starts it, and a client for its socket. */
export interface EngineChild extends AsyncDisposable {
  readonly process: ChildProcess
  readonly socketPath: string
  call(method: 'GET' | 'POST', path: string, call?: Call): Promise<Reply>
  health(): Promise<EngineHealth>
  until(state: EngineHealth['state']): Promise<EngineHealth>
  /** Exit code and signal. */
  exited(): Promise<readonly [number | null, NodeJS.Signals | null]>
}

export function startChild(spec: EngineSpec, runDirectory: string): EngineChild {
  const launch: EngineLaunch = createLlamaCppAdapter().plan(spec, runDirectory)
  const child = spawn(launch.command, launch.args, {
    env: { ...process.env, ...launch.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exit = once(child, 'exit').then(([code, signal]) => [code, signal] as const)
  const socketPath = launch.endpoint.slice('unix:'.length)
  const call: EngineChild['call'] = (method, path, options) => send(socketPath, method, path, options)
  const health = async (): Promise<EngineHealth> => engineHealth.parse((await call('GET', '/health')).json)
  return {
    process: child,
    socketPath,
    call,
    health,
    until: (state) =>
      waitFor(
        `engine state ${state}`,
        async () => {
          const now = await health()
          return now.state === state ? now : false
        },
        { timeoutMs: launch.readyTimeoutMs, intervalMs: 100 },
      ),
    exited: () => exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

function send(socketPath: string, method: string, path: string, call: Call = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      socketPath,
      method,
      path,
      agent: false,
      headers: { ...call.headers },
      ...(call.signal ? { signal: call.signal } : {}),
    }
    const outgoing = request(options, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (piece: string) => {
        text += piece
        call.onData?.(piece)
      })
      incoming.on('error', reject)
      incoming.on('end', () => {
        const { statusCode: status = 0, headers } = incoming
        const isJson = headers['content-type'] === 'application/json'
        resolve({ status, headers, text, json: isJson ? JSON.parse(text) : null })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body)))
  })
}

export interface StreamEvent {
  readonly usage: { readonly prompt: number; readonly cached: number; readonly completion: number }
  // biome-ignore lint/suspicious/noExplicitAny: answers of a foreign API are picked apart by the tests
  readonly data: any
}

/** Takes a stream apart; every event must have its usage comment, and `[DONE]` comes back as that string. */
export function parseStream(text: string): readonly StreamEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const match = /^: usage prompt=(\d+) cached=(\d+) completion=(\d+)\ndata: (.*)$/.exec(block)
      if (match === null) throw new Error(`not an event with a usage comment: ${block}`)
      const [, prompt, cached, completion, data = ''] = match
      return {
        usage: { prompt: Number(prompt), cached: Number(cached), completion: Number(completion) },
        data: data === '[DONE]' ? data : JSON.parse(data),
      }
    })
}
