import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface Worker {
  readonly child: ChildProcess
  readonly port: number
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** The real process, started as the supervisor does it. `fileKiB` limits the size of each file it writes. */
export async function startWorker(configPath: string, fileKiB: number | null = null): Promise<Worker> {
  const [command, args] =
    fileKiB === null
      ? [process.execPath, [MAIN]]
      : ['bash', ['-c', `ulimit -f ${fileKiB}; exec "$0" "$1"`, process.execPath, MAIN]]
  const child = spawn(command, args, {
    env: { ...process.env, MEDLEY_GATEWAY_CONFIG: configPath, MEDLEY_LOG: 'fatal' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  const ready = new Promise<number>((resolve) => {
    child.on('message', (message: { type?: string; port?: number }) => {
      if (message.type === 'ready') resolve(message.port ?? 0)
    })
  })
  const port = await Promise.race([ready, exited.then(({ code }) => Promise.reject(new Error(`exit ${code}`)))])
  return { child, port, exited }
}
