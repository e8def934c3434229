import { appendFileSync } from 'node:fs'

// A process for `supervisor.test.ts`; its argument says how it behaves, its environment where it leaves traces.
const { TRACE = '' } = process.env
const trace = (word: string) => appendFileSync(TRACE, `${word} ${process.pid}\n`)
const ready = () => process.send?.({ type: 'ready' })
const stay = () => setInterval(() => {}, 1_000)

const behaviours: Readonly<Record<string, () => void>> = {
  steady() {
    process.on('message', (message) => {
      trace(`message:${JSON.stringify(message)}`)
      process.exit(0)
    })
    process.on('SIGTERM', () => {
      trace('SIGTERM')
      process.exit(0)
    })
    trace('started')
    ready()
    stay()
  },
  deaf() {
    process.on('SIGTERM', () => {})
    trace('started')
    ready()
    stay()
  },
  broken() {
    trace('started')
    throw new Error('no such table: towels')
  },
  talkative() {
    trace('started')
    process.stdout.write(`${'x'.repeat(100_000)}\n`, () => ready())
    stay()
  },
}
behaviours[process.argv[2] ?? '']?.()
