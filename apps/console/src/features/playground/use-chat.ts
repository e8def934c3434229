import { useCallback, useEffect, useReducer, useRef } from 'react'
import { type ChatSettings, streamChat } from './chat-stream.ts'
import { type Conversation, historyOf, reduce } from './conversation.ts'

export interface Chat {
  readonly turns: Conversation
  readonly busy: boolean
  ask(question: string, model: string, settings: ChatSettings): void
  /** Asks the question of a turn again, in its place at the end. */
  retry(id: number, model: string, settings: ChatSettings): void
  stop(): void
  clear(): void
}

export function useChat(): Chat {
  const [turns, dispatch] = useReducer(reduce, [])
  const running = useRef<{ readonly id: number; readonly abort: AbortController } | null>(null)
  const nextId = useRef(1)
  useEffect(() => () => running.current?.abort.abort(), [])

  const run = useCallback(async (past: Conversation, question: string, model: string, settings: ChatSettings) => {
    const id = nextId.current++
    const abort = new AbortController()
    running.current = { id, abort }
    dispatch({ type: 'ask', id, question, model, at: performance.now() })
    const messages = historyOf(past, settings.system, question)
    for await (const event of streamChat(model, messages, settings, abort.signal)) {
      dispatch({ type: 'event', id, event, at: performance.now() })
    }
    if (running.current?.id === id) running.current = null
  }, [])

  const stop = useCallback(() => {
    const current = running.current
    if (current === null) return
    running.current = null
    current.abort.abort()
    dispatch({ type: 'stop', id: current.id })
  }, [])

  return {
    turns,
    busy: turns.at(-1)?.answer.state === 'streaming',
    ask: (question, model, settings) => void run(turns, question, model, settings),
    retry: (id, model, settings) => {
      const turn = turns.find((candidate) => candidate.id === id)
      if (turn === undefined) return
      dispatch({ type: 'drop', id })
      const past = turns.filter((candidate) => candidate.id !== id)
      void run(past, turn.question, model, settings)
    },
    stop,
    clear: () => {
      stop()
      dispatch({ type: 'clear' })
    },
  }
}
