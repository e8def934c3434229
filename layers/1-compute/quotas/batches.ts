/**
 * Gathers calls into batches without waiting: a call that finds a free lane goes at once, and what arrives while all
 * lanes are busy goes together. Under load a transaction then carries hundreds of calls, and the rows that all of
 * them want are locked once for all.
 */
export interface Batcher<In, Out> {
  submit(item: In): Promise<Out>
}

interface Waiting<In, Out> {
  readonly item: In
  readonly key: string
  readonly resolve: (value: Out) => void
  readonly reject: (reason: unknown) => void
}

export interface BatcherOptions<In, Out> {
  /** Answers in the order of the items. When it throws, every item of the batch does. */
  readonly work: (items: readonly In[]) => Promise<readonly Out[]>
  /** Two items of one key are never in the same batch. */
  readonly keyOf: (item: In) => string
  /** Whether a failure may be the fault of a single item, so that each is worth a try alone. */
  readonly isOfOneItem: (error: unknown) => boolean
}

/** A second lane lets calls pass that have nothing to do with the rows the first one waits for. */
const LANES = 2
const MOST_IN_BATCH = 256

export function createBatcher<In, Out>({ work, keyOf, isOfOneItem }: BatcherOptions<In, Out>): Batcher<In, Out> {
  let queue: Waiting<In, Out>[] = []
  let busy = 0

  function take(): Waiting<In, Out>[] {
    const keys = new Set<string>()
    const batch: Waiting<In, Out>[] = []
    const rest: Waiting<In, Out>[] = []
    for (const each of queue) {
      const fits = batch.length < MOST_IN_BATCH && !keys.has(each.key)
      if (fits) keys.add(each.key)
      const place = fits ? batch : rest
      place.push(each)
    }
    queue = rest
    return batch
  }

  async function carryOut(batch: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const answers = await work(batch.map(({ item }) => item))
      if (answers.length !== batch.length) throw new TypeError('a batch was answered in part')
      for (const [at, answer] of answers.entries()) batch[at]?.resolve(answer)
    } catch (error) {
      if (batch.length > 1 && isOfOneItem(error)) for (const each of batch) await carryOut([each])
      else for (const each of batch) each.reject(error)
    }
  }

  function pump(): void {
    while (busy < LANES && queue.length > 0) {
      busy += 1
      void carryOut(take()).finally(() => {
        busy -= 1
        pump()
      })
    }
  }

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        queue.push({ item, key: keyOf(item), resolve, reject })
        // Calls made in the same turn of the event loop go together.
        if (queue.length === 1) queueMicrotask(pump)
      }),
  }
}
