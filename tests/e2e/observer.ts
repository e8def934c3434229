import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type UsageEvent, usageEvent } from '@medley/server/schemas'
import { z } from 'zod'
import type { RunningFactory } from '../factory.ts'

const secrets = z.object({ operatorToken: z.string() })
const agentSettings = z.object({ runDirectory: z.string() })
const children = z.array(z.object({ name: z.string(), pid: z.number() }))
const processRecord = z.object({ pid: z.number() })
const shipped = z.object({ segment: z.number(), offset: z.number() })
const statusView = z.object({
  ready: z.boolean(),
  store: z.object({ kind: z.string(), version: z.string() }),
  deployments: z.array(z.object({ state: z.string(), servedModel: z.string(), restarts: z.number() })),
})

const health = z.object({ state: z.string(), slots: z.object({ busy: z.number(), queued: z.number() }) })
const engineRequest = z.object({ state: z.string(), completionTokens: z.number() })

export type ChildName = 'server' | 'gateway' | 'agent' | 'postgres'

/** Looks at a running factory from outside: by its files, its API and the system's list of processes. */
export function observe(factory: RunningFactory) {
  const read = <Schema extends z.ZodType>(schema: Schema, ...path: string[]): z.infer<Schema> =>
    schema.parse(JSON.parse(readFileSync(join(factory.data, ...path), 'utf8')))
  const ask = async (path: string): Promise<unknown> => {
    const { operatorToken } = read(secrets, 'instance', 'secrets.json')
    const answer = await fetch(`${factory.consoleUrl}${path}`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return answer.json()
  }
  const runDirectory = () => read(agentSettings, 'run', 'agent.json').runDirectory

  /** Folders of the engines the agent runs; one in these tests. */
  const engineDirectories = (): string[] => {
    const root = join(runDirectory(), 'w')
    return readdirSync(root).map((name) => join(root, name))
  }
  const engineDirectory = (): string => {
    const [directory, ...others] = engineDirectories()
    if (directory === undefined || others.length > 0) throw new Error(`${1 + others.length} engines, expected one`)
    return directory
  }

  const listOf = async <Item extends z.ZodType>(path: string, item: Item): Promise<z.infer<Item>[]> => {
    const page = z.object({ items: z.array(item), nextCursor: z.string().nullable() })
    const items: z.infer<Item>[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const next: z.infer<typeof page> = page.parse(await ask(`${path}?limit=500${query}`))
      items.push(...next.items)
      cursor = next.nextCursor
    }
    return items
  }

  return {
    runDirectory,
    /** An answer of the API, as its operator. */
    ask,
    /** All items of a list of the API, over all pages. */
    listOf,
    status: async () => statusView.parse(await ask('/api/v1/status')),
    pidOf: (name: ChildName): number => {
      const child = read(children, 'run', 'children.json').find((each) => each.name === name)
      if (child === undefined) throw new Error(`${name} is not in the list of children`)
      return child.pid
    },
    enginePid: (): number =>
      processRecord.parse(JSON.parse(readFileSync(join(engineDirectory(), 'process.json'), 'utf8'))).pid,
    engineHealth: async () => health.parse(await askSocket(join(engineDirectory(), 'engine.sock'), '/health')),
    engineRequest: async (id: string) =>
      engineRequest.parse(await askSocket(join(engineDirectory(), 'engine.sock'), `/internal/requests/${id}`)),

    /** Every usage row there is, over all pages. */
    usage: (): Promise<UsageEvent[]> => listOf('/api/v1/usage', usageEvent),

    /** Whether the server has committed everything that stands in the gateway's journal. */
    isShipped(): boolean {
      const directory = join(factory.data, 'gateway', 'journal')
      const last = readdirSync(directory)
        .filter((name) => name.startsWith('segment-'))
        .sort()
        .at(-1)
      if (last === undefined) return false
      const { segment, offset } = read(shipped, 'gateway', 'journal', 'shipped.json')
      return segment === Number(/\d+/.exec(last)?.[0]) && offset === statSync(join(directory, last)).size
    },
  }
}

export type Observer = ReturnType<typeof observe>

export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Every process that stands in, was started with, or was told of one of these directories. */
export function processesOf(directories: readonly string[]): { pid: number; command: string }[] {
  const text = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  const standing = (pid: number): string => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`)
    } catch {
      return ''
    }
  }
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid)
    .map((pid) => ({ pid, command: text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ pid, command }) => {
      const traces = `${command}\n${text(`/proc/${pid}/environ`)}\n${standing(pid)}`
      return directories.some((directory) => traces.includes(directory))
    })
}

/** Polls until `look` holds; an error counts as not yet. @throws after `withinMs`, with the last error as cause. */
export async function eventually(
  what: string,
  look: () => boolean | Promise<boolean>,
  withinMs = 120_000,
): Promise<void> {
  const deadline = performance.now() + withinMs
  let last: unknown = null
  for (;;) {
    try {
      if (await look()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`, { cause: last })
    await sleep(100)
  }
}

function askSocket(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, host: 'localhost', agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece
      })
      response.once('error', reject)
      response.once('end', () => {
        try {
          resolve(JSON.parse(body))
        } catch (error) {
          reject(error)
        }
      })
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}
