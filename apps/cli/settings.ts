import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export const DEFAULT_PORT = 7070

/** Where everything that must survive lies: `--data`, else `MEDLEY_DATA`, else `~/.medley`. */
export function dataDirectory(option: string | undefined, env: NodeJS.ProcessEnv): string {
  return resolve(option ?? env.MEDLEY_DATA ?? join(homedir(), '.medley'))
}

/** Files by which the processes of one data directory find each other. */
export function paths(data: string) {
  return {
    data,
    run: join(data, 'run'),
    lock: join(data, 'run', 'up.json'),
    children: join(data, 'run', 'children.json'),
    logs: join(data, 'logs'),
    instance: join(data, 'instance'),
    secrets: join(data, 'instance', 'secrets.json'),
    postgres: join(data, 'postgres'),
    gateway: join(data, 'gateway'),
    agent: join(data, 'agent'),
    models: join(data, 'models'),
  }
}

export type DataPaths = ReturnType<typeof paths>

/** The address under which this machine reaches a listener on `host`; an IPv6 address stands in brackets (RFC 3986). */
export function httpUrl(host: string, port: number): string {
  const reachable = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`
}

export function programVersion(): string {
  const file = new URL('./package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
