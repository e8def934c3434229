export interface Clockwork {
  /** Runs `task` again and again, with a pause of `pauseMs` between the end of one run and the start of the next. */
  every(pauseMs: number, name: string, task: () => Promise<unknown>): void
  /** Resolves when what runs now is over. */
  stop(): Promise<void>
}

/** What the factory does by itself. A task that fails is told of and runs again; none delays another. */
export function createClockwork(onError: (name: string, error: unknown) => void): Clockwork {
  const stopping = new AbortController()
  const loops = new Set<Promise<void>>()

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        stopping.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      timer.unref()
      stopping.signal.addEventListener('abort', done)
    })

  async function loop(pauseMs: number, name: string, task: () => Promise<unknown>): Promise<void> {
    let failing = false
    for (await pause(pauseMs); !stopping.signal.aborted; await pause(pauseMs)) {
      try {
        await task()
        failing = false
      } catch (error) {
        // Once: a database that is away for a night must not fill the log.
        if (!failing && !stopping.signal.aborted) onError(name, error)
        failing = true
      }
    }
  }

  return {
    every: (pauseMs, name, task) => void loops.add(loop(pauseMs, name, task)),
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}
