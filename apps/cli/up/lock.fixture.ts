import { setTimeout as sleep } from 'node:timers/promises'
import { takeLock } from './lock.ts'

// One contender of `lock.test.ts`: for each line of standard input, a lock file, it starts at the named instant
// and says how that ended. It keeps what it took until its standard input ends.
process.stdin.setEncoding('utf8')
let rest = ''
for await (const piece of process.stdin) {
  const lines = (rest + String(piece)).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    const [file = '', at = '0'] = line.split(' ')
    await sleep(Math.max(0, Number(at) - Date.now() - 5))
    while (Date.now() < Number(at)) {
      // Spinning: timers are too coarse for a race.
    }
    process.stdout.write(`${takeLock(file, { host: '127.0.0.1', port: 1, gatewayPort: 2 }).kind}\n`)
  }
}
