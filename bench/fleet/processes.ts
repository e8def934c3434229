import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const children = z.array(z.object({ name: z.string(), pid: z.number() }))
const secrets = z.object({ operatorToken: z.string() })
const serverSettings = z.object({
  store: z.object({
    connection: z.object({
      host: z.string(),
      port: z.number(),
      user: z.string(),
      password: z.string(),
      database: z.string(),
    }),
  }),
})

/** Linux counts process time in these a second (`getconf CLK_TCK`), whatever the kernel's own tick. */
const TICKS_PER_SECOND = 100

function read<Schema extends z.ZodType>(schema: Schema, ...path: string[]): z.infer<Schema> {
  return schema.parse(JSON.parse(readFileSync(join(...path), 'utf8')))
}

/** Number of a process of the factory on a data directory, by the supervisor's own list. */
export function pidOf(data: string, name: string): number {
  const child = read(children, data, 'run', 'children.json').find((each) => each.name === name)
  if (child === undefined) throw new Error(`the factory runs no ${name}`)
  return child.pid
}

export function operatorToken(data: string): string {
  return read(secrets, data, 'instance', 'secrets.json').operatorToken
}

export function storeConnection(data: string) {
  return read(serverSettings, data, 'run', 'server.json').store.connection
}

interface ProcessStat {
  readonly parent: number
  /** Its own time in user and system mode. */
  readonly ticks: number
  /** Of its children that have ended and been waited for. */
  readonly endedTicks: number
}

/**
 * CPU seconds a process and all below it have used since they began, those that have ended included (proc(5)). Only
 * grows, except by what an orphan took with it.
 */
export function cpuSeconds(pid: number): number {
  const all = new Map<number, ProcessStat>()
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? statOf(entry) : null
    if (stat !== null) all.set(Number(entry), stat)
  }
  let ticks = 0
  const open = [pid]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const stat = all.get(next)
    if (stat === undefined) continue
    ticks += stat.ticks + stat.endedTicks
    for (const [child, { parent }] of all) if (parent === next) open.push(child)
  }
  return ticks / TICKS_PER_SECOND
}

function statOf(pid: string): ProcessStat | null {
  try {
    // The name stands in parentheses and may hold spaces and parentheses itself.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3] ?? 0)
    return { parent: field(4), ticks: field(14) + field(15), endedTicks: field(16) + field(17) }
  } catch {
    return null
  }
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? Number.NaN) * 1024
}
