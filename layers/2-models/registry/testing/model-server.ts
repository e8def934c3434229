import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ModelServer {
  readonly url: string
  /** First byte asked for by each request. */
  readonly offsets: number[]
  close(): Promise<void>
}

export interface Behaviour {
  /** Bytes to send before the connection is cut, for each request in turn; null sends all. */
  readonly cuts?: readonly (number | null)[]
  /** Leave the connection open and silent instead of cutting it. */
  readonly hang?: boolean
  readonly ignoreRange?: boolean
  readonly etag?: (requestNumber: number) => string | null
  readonly body?: (requestNumber: number) => Buffer
  readonly status?: (requestNumber: number) => number | null
}

/** A server on the loopback that serves one file under every path, and misbehaves as told. */
export async function startModelServer(content: Buffer, behaviour: Behaviour = {}): Promise<ModelServer> {
  const offsets: number[] = []
  const server = createServer((request, response) => {
    const number = offsets.length
    const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    offsets.push(wanted)
    const status = behaviour.status?.(number) ?? null
    if (status !== null) return void response.writeHead(status).end()
    serve(request, response, behaviour.body?.(number) ?? content, wanted, number)
  })

  function serve(request: IncomingMessage, response: ServerResponse, body: Buffer, wanted: number, number: number) {
    const etag = behaviour.etag ? behaviour.etag(number) : `"${createHash('sha256').update(body).digest('hex')}"`
    const changed = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag
    const offset = behaviour.ignoreRange || changed ? 0 : wanted
    const headers: Record<string, string> = { 'content-length': String(body.length - offset) }
    if (etag) headers.etag = etag
    if (offset > 0) headers['content-range'] = `bytes ${offset}-${body.length - 1}/${body.length}`
    response.writeHead(offset > 0 ? 206 : 200, headers)
    const cut = behaviour.cuts?.[number] ?? null
    if (cut === null) return void response.end(body.subarray(offset))
    response.write(body.subarray(offset, offset + cut), () => {
      if (!behaviour.hang) setTimeout(() => response.destroy(), 20)
    })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    offsets,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
