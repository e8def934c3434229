import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Counter, createLogger, createMetricsRegistry } from './index.ts'

function capture(): { lines: string[]; stream: { write(line: string): void } } {
  const lines: string[] = []
  return { lines, stream: { write: (line) => void lines.push(line) } }
}

const KEY = `mk_abcdefghij_${'s'.repeat(43)}`

describe('createLogger', () => {
  it('writes one JSON line that names the process', () => {
    const { lines, stream } = capture()
    createLogger({ process: 'gateway', level: 'info', stream }).info({ requestId: 'req_1' }, 'served')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      process: 'gateway',
      requestId: 'req_1',
      msg: 'served',
    })
  })

  it('takes secrets out of fields at any of four levels and out of running text', () => {
    const { lines, stream } = capture()
    const log = createLogger({ process: 'server', level: 'info', stream })
    log.info({ password: 'hunter2-a', req: { headers: { authorization: `Bearer ${KEY}`, cookie: 'hunter2-b' } } })
    log.info({ a: { b: { c: { token: 'hunter2-c' } } }, headers: { 'set-cookie': 'hunter2-d' } })
    log.error(new Error(`refused ${KEY} and Bearer abcdefghijklmnopqrstuvwxyz`))
    const all = lines.join('')
    expect(all).not.toContain('hunter2')
    expect(all).not.toContain('s'.repeat(43))
    expect(all).not.toContain('abcdefghijklmnopqrstuvwxyz')
    expect(all).toContain('mk_abcdefghij_[redacted]')
  })

  it('never lets a key through, wherever it stands in a message', () => {
    const { lines, stream } = capture()
    const log = createLogger({ process: 'server', level: 'info', stream })
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        lines.length = 0
        log.info(`${before} ${KEY} ${after}`)
        return !lines.join('').includes(KEY)
      }),
    )
    expect(lines).toHaveLength(1)
  })
})

describe('createMetricsRegistry', () => {
  it('keeps the figures of two processes apart', async () => {
    const [first, second] = [createMetricsRegistry('a'), createMetricsRegistry('b')]
    new Counter({ name: 'things_total', help: 'Things.', registers: [first] }).inc()
    expect(await first.metrics()).toContain('things_total{process="a"} 1')
    expect(await second.metrics()).not.toContain('things_total')
    expect(await second.metrics()).toContain('process_resident_memory_bytes')
  })
})
