export interface StepGate {
  /** Runs one step of one sequence together with the steps of all others that wait. */
  run<T>(step: () => Promise<T>): Promise<T>
}

/**
 * Makes all sequences decode in rounds: a round starts when everybody of the last one is done, and whoever comes
 * meanwhile joins the next.
 *
 * The library alone would start the next decode while the last token is still being sampled. Then one of eight is
 * always missing from the batch, and as its queue is never empty it never gives up the lock that a new request needs
 * to clear its slot: under load the request would wait until the others have finished.
 */
export function createStepGate(): StepGate {
  let running = 0
  let waiting: (() => void)[] = []
  let opening = false

  const open = (): void => {
    opening = false
    const round = waiting
    waiting = []
    running = round.length
    for (const start of round) start()
  }
  const openWhenIdle = (): void => {
    if (running > 0 || opening || waiting.length === 0) return
    opening = true
    // By then everybody of the last round has taken its token and come back.
    setImmediate(open)
  }

  return {
    async run(step) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        openWhenIdle()
      })
      try {
        return await step()
      } finally {
        running -= 1
        openWhenIdle()
      }
    },
  }
}
