export const TOPICS = [
  'status',
  'chips',
  'nodes',
  'alerts',
  'audit',
  'models',
  'deployments',
  'usage',
  'keys',
  'proving',
] as const
export type Topic = (typeof TOPICS)[number]

/** Tells pages what to fetch again. Carries no data, so nothing can leak past a permission. */
export interface Live {
  touch(...topics: readonly Topic[]): void
  subscribe(listener: (topic: Topic) => void): () => void
  /** Resolves at the next touch of one of the topics, or when `signal` aborts. */
  next(topics: readonly Topic[], signal: AbortSignal): Promise<void>
}

export function createLive(): Live {
  const listeners = new Set<(topic: Topic) => void>()
  const subscribe = (listener: (topic: Topic) => void) => {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }
  return {
    touch(...topics) {
      for (const topic of topics) for (const listener of [...listeners]) listener(topic)
    },
    subscribe,
    next: (topics, signal) =>
      new Promise((resolve) => {
        const finish = () => {
          unsubscribe()
          signal.removeEventListener('abort', finish)
          resolve()
        }
        const unsubscribe = subscribe((topic) => {
          if (topics.includes(topic)) finish()
        })
        signal.addEventListener('abort', finish)
        if (signal.aborted) finish()
      }),
  }
}
