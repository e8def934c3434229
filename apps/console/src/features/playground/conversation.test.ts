import { describe, expect, it } from 'vitest'
import { type ChatEvent, eventsOf } from './chat-stream.ts'
import { type Conversation, decodeRate, historyOf, reduce, timeToFirstToken } from './conversation.ts'

function play(events: readonly (readonly [number, ChatEvent])[]): Conversation {
  const asked = reduce([], { type: 'ask', id: 1, question: 'q', model: 'm', at: 100 })
  return events.reduce((turns, [at, event]) => reduce(turns, { type: 'event', id: 1, event, at }), asked)
}

const complete: readonly (readonly [number, ChatEvent])[] = [
  [110, { kind: 'opened', requestId: 'req_1', revisionId: 'rev_1' }],
  [150, { kind: 'delta', text: 'Pa' }],
  [350, { kind: 'delta', text: 'ris' }],
  [360, { kind: 'usage', usage: { promptTokens: 9, completionTokens: 11, cachedTokens: 0 } }],
  [361, { kind: 'end' }],
]

describe('a streamed answer', () => {
  it('collects text, lineage and timing', () => {
    const answer = play(complete)[0]?.answer
    expect(answer).toMatchObject({ state: 'done', text: 'Paris', requestId: 'req_1', revisionId: 'rev_1' })
    expect(answer && timeToFirstToken(answer)).toBe(50)
    expect(answer && decodeRate(answer)).toBe(50)
  })

  it('has no rate without the engine’s own count', () => {
    const answer = play(complete.filter(([, event]) => event.kind !== 'usage'))[0]?.answer
    expect(answer && decodeRate(answer)).toBeNull()
  })

  it('keeps its error when the stream breaks, and leaves the history', () => {
    const turns = play([
      [150, { kind: 'delta', text: 'Pa' }],
      [160, { kind: 'error', error: { code: 'engine_lost', message: 'gone', hint: null } }],
      [170, { kind: 'delta', text: 'ignored' }],
    ])
    expect(turns[0]?.answer).toMatchObject({ state: 'failed', text: 'Pa', error: { code: 'engine_lost' } })
    expect(historyOf(turns, '', 'next')).toEqual([{ role: 'user', content: 'next' }])
  })

  it('stays in the history when the reader stopped it', () => {
    const streaming = play([[150, { kind: 'delta', text: 'Pa' }]])
    const turns = reduce(streaming, { type: 'stop', id: 1 })
    expect(turns[0]?.answer.state).toBe('stopped')
    expect(historyOf(turns, 'Be brief', 'next').map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ])
  })
})

describe('eventsOf', () => {
  it('reads text, ending and usage of a chunk', () => {
    const chunk = {
      choices: [{ delta: { content: 'x' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
    }
    expect(eventsOf(JSON.stringify(chunk))).toEqual([
      { kind: 'delta', text: 'x' },
      { kind: 'finish', reason: 'stop' },
      { kind: 'usage', usage: { promptTokens: 3, completionTokens: 2, cachedTokens: 1 } },
    ])
  })

  it('reads an error event', () => {
    expect(eventsOf('{"error":{"code":"engine_lost","message":"gone"}}')).toEqual([
      { kind: 'error', error: { code: 'engine_lost', message: 'gone', hint: null } },
    ])
  })
})
