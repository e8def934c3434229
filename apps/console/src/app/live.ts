import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

/** Which queries each topic of `/api/v1/events` makes stale: a thing and everything that shows parts of it. */
const staleBy: Readonly<Record<string, readonly string[]>> = {
  status: ['status'],
  chips: ['chips', 'nodes', 'fleet', 'status'],
  nodes: ['nodes', 'chips', 'fleet', 'maintenance'],
  alerts: ['alerts'],
  audit: ['audit'],
  models: ['models', 'status'],
  deployments: ['deployments', 'models', 'chips', 'status'],
  usage: ['usage', 'status'],
  keys: ['keys'],
  proving: ['proving', 'chips', 'status'],
}

function topicOf(data: unknown): string | null {
  if (typeof data !== 'string') return null
  try {
    const message: unknown = JSON.parse(data)
    return typeof message === 'object' && message !== null && 'topic' in message ? String(message.topic) : null
  } catch {
    return null
  }
}

/** Collects topics for a moment, so that a burst of events costs one refetch. */
function createInvalidator(queryClient: QueryClient, delayMs: number) {
  const stale = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    for (const key of stale) void queryClient.invalidateQueries({ queryKey: [key] })
    stale.clear()
  }
  return {
    add: (keys: readonly string[]) => {
      for (const key of keys) stale.add(key)
      timer ??= setTimeout(flush, delayMs)
    },
    stop: () => clearTimeout(timer),
  }
}

/** Keeps what is on the page current. @returns false while the stream is broken. */
export function useLiveUpdates(): boolean {
  const queryClient = useQueryClient()
  const [connected, setConnected] = useState(true)
  useEffect(() => {
    const invalidator = createInvalidator(queryClient, 250)
    const source = new EventSource('/api/v1/events')
    let lost = false
    source.onopen = () => {
      setConnected(true)
      // Whatever happened meanwhile was not told: everything may be old.
      if (lost) void queryClient.invalidateQueries()
      lost = false
    }
    source.onerror = () => {
      lost = true
      setConnected(false)
    }
    source.onmessage = (event) => {
      const topic = topicOf(event.data)
      invalidator.add(topic === null ? [] : (staleBy[topic] ?? [topic]))
    }
    return () => {
      invalidator.stop()
      source.close()
    }
  }, [queryClient])
  return connected
}
