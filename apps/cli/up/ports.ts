import { createServer } from 'node:net'

/** Why a port cannot be listened on, or null when it can. */
export function portProblem(host: string, port: number): Promise<'taken' | 'not-allowed' | 'no-such-address' | null> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES') resolve('not-allowed')
      else if (error.code === 'EADDRNOTAVAIL') resolve('no-such-address')
      else resolve('taken')
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)))
  })
}
