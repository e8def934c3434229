import { setTimeout as sleep } from 'node:timers/promises'
import type { GatewayRoute } from '@medley/serving/protocol'
import { routeKey } from '../control/directory.ts'

export interface Replica {
  readonly id: string
  readonly revisionId: string
  readonly endpoint: string
  readonly chipUuids: readonly string[]
}

export interface Lease {
  readonly replica: Replica
  release(): void
}

interface State {
  replica: Replica
  /** Key of the route it serves. */
  route: string
  /** What the newest snapshot says. */
  ready: boolean
  /** What this worker found out since: the snapshot lags behind a restart, or stands still without the server. */
  found: 'up' | 'down' | null
  inFlight: number
  probing: boolean
}

export interface PoolOptions {
  readonly isHealthy: (endpoint: string) => Promise<boolean>
  /** Most that may wait at a time, and most bytes they may hold meanwhile. */
  readonly maxWaiting: number
  readonly maxWaitingBytes: number
}

/** What somebody brings who asks for a replica. */
export interface Claim {
  /** `routeKey` of what is asked for. */
  readonly route: string
  /** Size of the body that is held while waiting. */
  readonly bytes: number
  readonly waitMs: number
  readonly signal: AbortSignal
}

interface Waiter {
  readonly route: string
  readonly retry: () => boolean
}

const FIRST_PROBE_MS = 50
const LONGEST_PROBE_MS = 1000

/** The replicas of every route: who is ready, who is least busy, and who must be asked again. */
export class ReplicaPool {
  readonly #options: PoolOptions
  readonly #stopping = new AbortController()
  #states = new Map<string, State>()
  readonly #waiters = new Set<Waiter>()
  #waitingBytes = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  replace(routes: readonly GatewayRoute[]): void {
    const next = new Map<string, State>()
    for (const served of routes) {
      const route = routeKey(served)
      for (const { id, revisionId, endpoint, ready, chipUuids } of served.replicas) {
        if (endpoint === null) continue
        const stateKey = `${route}\n${id}`
        const known = this.#states.get(stateKey)
        const replica = { id, revisionId, endpoint, chipUuids }
        const same = known?.replica.endpoint === endpoint ? known : null
        const state = same ?? { replica, route, ready, found: null, inFlight: 0, probing: false }
        // What was found here stands until the server changes its mind.
        if (state.ready !== ready) state.found = null
        Object.assign(state, { replica, route, ready })
        next.set(stateKey, state)
      }
    }
    this.#states = next
    this.#wake()
  }

  /**
   * The least busy usable replica of a route, waiting up to `waitMs` for one; null when none came or `signal` fired,
   * `full` when too many wait already.
   */
  acquire({ route, bytes, waitMs, signal }: Claim): Promise<Lease | null | 'full'> {
    const lease = this.#take(route)
    if (lease !== null || waitMs <= 0 || signal.aborted) return Promise.resolve(lease)
    const { maxWaiting, maxWaitingBytes } = this.#options
    if (this.#waiters.size >= maxWaiting || this.#waitingBytes + bytes > maxWaitingBytes) return Promise.resolve('full')
    this.#waitingBytes += bytes
    return new Promise((resolve) => {
      const finish = (result: Lease | null) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        if (this.#waiters.delete(waiter)) this.#waitingBytes -= bytes
        resolve(result)
        return true
      }
      const giveUp = () => finish(null)
      const waiter: Waiter = {
        route,
        retry: () => {
          const found = this.#take(route)
          return found !== null && finish(found)
        },
      }
      const timer = setTimeout(giveUp, waitMs)
      signal.addEventListener('abort', giveUp)
      this.#waiters.add(waiter)
      this.#probeAll(route)
    })
  }

  /** A connection to it failed: nobody gets it again before its health answers. */
  reportDown({ id, endpoint }: Replica): void {
    for (const state of this.#states.values()) {
      if (state.replica.id !== id || state.replica.endpoint !== endpoint) continue
      state.found = 'down'
      this.#probe(state)
    }
  }

  close(): void {
    this.#stopping.abort()
  }

  #take(route: string): Lease | null {
    let best: State | null = null
    for (const state of this.#states.values()) {
      if (state.route !== route || !isUsable(state)) continue
      if (best === null || state.inFlight < best.inFlight) best = state
    }
    if (best === null) return null
    const chosen = best
    chosen.inFlight += 1
    let released = false
    return {
      replica: chosen.replica,
      release: () => {
        if (!released) chosen.inFlight -= 1
        released = true
      },
    }
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      if (!waiter.retry()) this.#probeAll(waiter.route)
    }
  }

  #probeAll(route: string): void {
    for (const state of this.#states.values()) {
      if (state.route === route && !isUsable(state)) this.#probe(state)
    }
  }

  #probe(state: State): void {
    if (state.probing) return
    state.probing = true
    this.#probeUntilUp(state)
      .finally(() => {
        state.probing = false
      })
      .catch(() => {})
  }

  async #probeUntilUp(state: State): Promise<void> {
    let delayMs = FIRST_PROBE_MS
    while (this.#isWorthProbing(state)) {
      if (await this.#options.isHealthy(state.replica.endpoint)) {
        state.found = 'up'
        this.#wake()
        return
      }
      await sleep(delayMs, null, { signal: this.#stopping.signal })
      // Somebody waiting is worth a look every 200 ms; nobody waiting, one a second.
      const longest = this.#isAwaited(state.route) ? LONGEST_PROBE_MS / 5 : LONGEST_PROBE_MS
      delayMs = Math.min(longest, delayMs * 2)
    }
  }

  #isWorthProbing(state: State): boolean {
    if (this.#stopping.signal.aborted || isUsable(state)) return false
    if (this.#states.get(`${state.route}\n${state.replica.id}`) !== state) return false
    return state.ready || this.#isAwaited(state.route)
  }

  #isAwaited(route: string): boolean {
    return [...this.#waiters].some((waiter) => waiter.route === route)
  }
}

function isUsable(state: State): boolean {
  return state.found === 'up' || (state.ready && state.found === null)
}
