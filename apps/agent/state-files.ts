import { mkdir, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { type AgentOrders, agentOrders } from '@medley/fleet/protocol'

/** The last orders heard, so that an agent that starts without a server still keeps its engines running. */
export async function loadOrders(directory: string): Promise<AgentOrders | null> {
  const kept = agentOrders.safeParse(await readJson(path.join(directory, 'orders.json')))
  return kept.success ? kept.data : null
}

export function saveOrders(directory: string, orders: AgentOrders): Promise<void> {
  return writeJson(path.join(directory, 'orders.json'), orders)
}

/** Null: there is none, or it is not whole. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return null
  }
}

/** Whole or not at all, also over a power cut: written aside, synced, renamed. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.tmp`
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(JSON.stringify(value))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, file)
}
