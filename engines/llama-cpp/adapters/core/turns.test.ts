import { describe, expect, it } from 'vitest'
import { createTurns } from './turns.ts'

const never = new AbortController().signal

function aGate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, open: resolve }
}

describe('turns', () => {
  it('come one after another, in the order of asking', async () => {
    const turns = createTurns(8)
    const told: string[] = []
    const say = (word: string) => async () => {
      told.push(`${word} begins`)
      await Promise.resolve()
      told.push(`${word} ends`)
    }
    await Promise.all([turns.take(never, say('one')), turns.take(never, say('two'))])
    expect(told).toEqual(['one begins', 'one ends', 'two begins', 'two ends'])
  })

  it('go on after one that failed', async () => {
    const turns = createTurns(1)
    await expect(turns.take(never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(await turns.take(never, async () => 1)).toBe(1)
  })

  it('refuse more waiters than agreed, and those who leave make room', async () => {
    const turns = createTurns(1)
    const gate = aGate()
    const leaving = new AbortController()
    const first = turns.take(never, gate.work)
    const left = turns.take(leaving.signal, async () => 'never').catch(() => 'left')
    await expect(turns.take(never, async () => 0)).rejects.toMatchObject({ status: 503, retryAfterSeconds: 1 })
    leaving.abort(new Error('gone'))
    expect(await left).toBe('left')
    const next = turns.take(never, async () => 'next')
    gate.open()
    await first
    expect(await next).toBe('next')
  })

  it('are not taken from anybody by what can wait', async () => {
    const turns = createTurns(1)
    const gate = aGate()
    let closed = false
    const close = async () => {
      closed = true
    }
    const first = turns.take(never, gate.work)
    await turns.takeIfIdle(close)
    expect(closed).toBe(false)
    gate.open()
    await first
    await turns.takeIfIdle(close)
    expect(closed).toBe(true)
  })
})
