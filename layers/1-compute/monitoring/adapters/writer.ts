import { type Arrival, type StorePorts, storeArrivals } from './store-samples.ts'

export interface Writer {
  /** Resolves after the commit; rejects with what the store said, and then nothing of it is stored. */
  write(arrival: Arrival): Promise<void>
  /** Commits what waits and takes no more. */
  close(): Promise<void>
}

export interface WriterPorts extends StorePorts {
  /** How long the first of a group waits for others. */
  readonly gatherMs: number
}

/** So many samples are committed without waiting for more; thousands at once would hold up everybody else. */
const MOST_ROWS = 2_000

interface Waiting {
  readonly arrival: Arrival
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** One statement and one commit for all nodes that hand in within a moment: at 83 samples a second, two a second. */
export function createWriter(ports: WriterPorts): Writer {
  let waiting: Waiting[] = []
  let rows = 0
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let closed = false

  function takeGroup(): readonly Waiting[] {
    let taken = 0
    const end = waiting.findIndex(({ arrival }) => {
      taken += arrival.timesMs.length
      return taken >= MOST_ROWS
    })
    const group = end < 0 ? waiting : waiting.slice(0, end + 1)
    waiting = waiting.slice(group.length)
    rows -= group.reduce((sum, { arrival }) => sum + arrival.timesMs.length, 0)
    return group
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    try {
      await storeArrivals(
        ports,
        group.map(({ arrival }) => arrival),
      )
      for (const { resolve } of group) resolve()
    } catch (error) {
      // What one node says that no table can hold must not cost the others their samples.
      if (group.length > 1 && isAboutData(error)) {
        await commit(group.slice(0, group.length >> 1))
        await commit(group.slice(group.length >> 1))
      } else {
        for (const { reject } of group) reject(error)
      }
    }
  }

  async function drain(): Promise<void> {
    do await commit(takeGroup())
    while (rows >= MOST_ROWS || (closed && waiting.length > 0))
  }

  function start(): void {
    if (timer) clearTimeout(timer)
    timer = null
    running ??= drain().finally(() => {
      running = null
      if (waiting.length > 0) arm()
    })
  }

  function arm(): void {
    if (rows >= MOST_ROWS) start()
    else timer ??= setTimeout(start, ports.gatherMs)
  }

  return {
    write(arrival) {
      if (closed) return Promise.reject(new Error('the readings are being closed'))
      return new Promise((resolve, reject) => {
        waiting.push({ arrival, resolve, reject })
        rows += arrival.timesMs.length
        arm()
      })
    },
    async close() {
      closed = true
      if (waiting.length > 0) start()
      while (running) await running
    },
  }
}

/** Class 22 of PostgreSQL's codes: a value that its type cannot hold. */
function isAboutData(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null
  return typeof code === 'string' && code.startsWith('22')
}
