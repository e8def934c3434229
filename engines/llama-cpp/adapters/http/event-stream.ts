import type { ServerResponse } from 'node:http'
import type { RequestRecord } from '../../protocol.ts'
import { errorBody } from './io.ts'

export interface EventStream {
  /** Sends the headers; from here on a failure can only be an event. */
  open(): void
  readonly opened: boolean
  event(data: unknown): void
  done(): void
  /** An error event, then the end without `[DONE]`, so that no client takes the answer for complete. */
  fail(error: unknown): void
}

/**
 * Server-sent events with, before each `data:` line, a comment line that says what the request has cost so far. The
 * gateway strips it and so can meter a stream that breaks off anywhere; other clients skip comments by the standard.
 */
export function createEventStream(response: ServerResponse, record: RequestRecord): EventStream {
  const write = (data: string): void => {
    const { promptTokens, cachedTokens, completionTokens } = record
    const usage = `prompt=${promptTokens} cached=${cachedTokens} completion=${completionTokens}`
    response.write(`: usage ${usage}\ndata: ${data}\n\n`)
  }
  return {
    open() {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
    },
    get opened() {
      return response.headersSent
    },
    event: (data) => write(JSON.stringify(data)),
    done() {
      write('[DONE]')
      response.end()
    },
    fail(error) {
      write(JSON.stringify(errorBody(error)))
      response.end(() => response.socket?.destroySoon())
    },
  }
}
