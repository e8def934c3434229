import type { AgentOrders, AgentReport } from '@medley/fleet/protocol'
import type { Channel } from './channel.ts'

/** Least time between two reports: progress may change a hundred times a second. */
const LEAST_GAP_MS = 100
const FIRST_BACKOFF_MS = 250

export interface SyncLoop {
  /** Something here has changed: report at once. */
  changed(): void
  stop(): void
}

export interface SyncDeps {
  readonly channel: Pick<Channel, 'ready' | 'report'>
  readonly report: (sync: { readonly appliedRevision: number; readonly waitMs: number }) => AgentReport
  /** The server has heard this report. */
  readonly onTold: (report: AgentReport) => void
  /** Called for each new revision, and for the first orders heard, in order. */
  readonly onOrders: (orders: AgentOrders, first: boolean) => Promise<void>
  readonly onTrouble: (error: unknown, failures: number) => void
  readonly waitMs: number
  readonly backoffMaxMs: number
}

/**
 * Reports and takes orders for ever. The server may hold an answer while nothing changes; a local change calls the
 * held poll off and sends a report that the server answers at once, so a busy agent can never starve its own orders.
 */
export function startSyncLoop(deps: SyncDeps): SyncLoop {
  const stopped = new AbortController()
  let dirty = true
  let held: AbortController | null = null
  let wake: () => void = () => undefined

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  let appliedRevision = -1
  let heard = false
  let failures = 0

  const exchange = async (poll: AbortController, waitMs: number): Promise<void> => {
    const signal = AbortSignal.any([poll.signal, stopped.signal])
    const report = deps.report({ appliedRevision, waitMs })
    const orders = await deps.channel.report(report, signal)
    failures = 0
    deps.onTold(report)
    if (!heard || orders.revision !== appliedRevision) await deps.onOrders(orders, !heard)
    heard = true
    appliedRevision = orders.revision
  }

  /** How long to wait before the next report. */
  const once = async (): Promise<number> => {
    // What is reported is what is true when there is somebody to hear it.
    await deps.channel.ready(stopped.signal)
    const waitMs = dirty || !heard ? 0 : deps.waitMs
    dirty = false
    const poll = new AbortController()
    held = waitMs > 0 ? poll : null
    try {
      await exchange(poll, waitMs)
      return LEAST_GAP_MS
    } catch (error) {
      if (poll.signal.aborted || stopped.signal.aborted) return LEAST_GAP_MS
      // What was to be told has not been told.
      dirty = true
      failures += 1
      deps.onTrouble(error, failures)
      return Math.min(deps.backoffMaxMs, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 20))
    } finally {
      held = null
    }
  }

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) await pause(await once())
  }
  // Ends only when stopped, or when the server will never take this node again.
  run().catch(() => undefined)

  return {
    changed: () => {
      dirty = true
      held?.abort()
    },
    stop: () => {
      stopped.abort()
      wake()
    },
  }
}
