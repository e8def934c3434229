import { unavailable } from './request-error.ts'

export interface Turns {
  /**
   * Runs `work` alone, first come first served.
   *
   * @throws {RequestError} 503 when as many wait already as may.
   * @throws The signal's reason when it is aborted while waiting; whoever leaves holds up nobody.
   */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** Runs `work` unless somebody has or waits for a turn. */
  takeIfIdle(work: () => Promise<void>): Promise<void>
}

const RETRY_AFTER_SECONDS = 1

export function createTurns(maxWaiting: number): Turns {
  const waiting: (() => void)[] = []
  let taken = false

  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(begin), 1)
        reject(signal.reason)
      }
      const begin = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.push(begin)
    })
  const pass = (): void => {
    const next = waiting.shift()
    taken = next !== undefined
    next?.()
  }
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } finally {
      pass()
    }
  }

  return {
    async take(signal, work) {
      signal.throwIfAborted()
      if (taken && waiting.length >= maxWaiting) {
        throw unavailable(`${maxWaiting} requests wait already.`, 'engine_busy', RETRY_AFTER_SECONDS)
      }
      if (taken) await wait(signal)
      taken = true
      return run(work)
    },
    async takeIfIdle(work) {
      if (taken) return
      taken = true
      await run(work)
    },
  }
}
