import { Agent, request as httpRequest } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'

export interface ControlPlaneAnswer {
  readonly status: number
  readonly body: string
}

export interface ControlPlaneCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface ControlPlane {
  /** Rejects when no answer came; every answer, whatever its status, resolves. */
  call(call: ControlPlaneCall): Promise<ControlPlaneAnswer>
  close(): void
}

/** The server's internal API, with the token that only processes of this instance can read. */
export function createControlPlane(serverUrl: string, token: string): ControlPlane {
  const base = new URL(serverUrl)
  const secure = base.protocol === 'https:'
  const agent = secure ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true })
  const send = secure ? httpsRequest : httpRequest
  return {
    call: ({ method, path, body, timeoutMs, signal }) =>
      new Promise((resolve, reject) => {
        const headers: Record<string, string> = { authorization: `Bearer ${token}` }
        if (body !== undefined) {
          headers['content-type'] = 'application/json'
          headers['content-length'] = String(Buffer.byteLength(body))
        }
        const request = send(new URL(path, base), { method, agent, headers, signal }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })
          })
        })
        request.setTimeout(timeoutMs, () => request.destroy(new Error('the server did not answer in time')))
        request.on('error', reject)
        request.end(body)
      }),
    close: () => agent.destroy(),
  }
}
