import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { createdJoinToken } from './api/fleet-schemas.ts'
import { startTestFactory } from './http/test-factory.ts'

const test = await startTestFactory()
const address = await test.listen()
const made = await test.asOperator('/api/v1/join-tokens', {
  method: 'POST',
  body: JSON.stringify({ simulated: true, uses: 2000 }),
})
const { token } = createdJoinToken.parse(await made.json())
writeFileSync('/tmp/perf.env', `${address} ${token}`)
console.log(address, process.pid)
let last = process.cpuUsage()
let ticks = 0
setInterval(async () => {
  const used = process.cpuUsage(last)
  last = process.cpuUsage()
  ticks += 1
  const s = await test.server.factory.fleet.summary({ all: true })
  console.log(
    't',
    ticks * 10,
    'cpu',
    ((used.user + used.system) / 1e7).toFixed(3),
    'conn',
    test.server.factory.channel.connected(),
    'chips',
    s.chips,
    'rss',
    (process.memoryUsage().rss / 2 ** 20).toFixed(0),
    'heap',
    (process.memoryUsage().heapUsed / 2 ** 20).toFixed(0),
  )
}, 10_000)
const seconds = Number(process.argv[2] ?? 150)
setTimeout(async () => {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await new Promise((r) => setTimeout(r, 30_000))
  const { profile } = await session.post('Profiler.stop')
  writeFileSync('/tmp/perf.cpuprofile', JSON.stringify(profile))
  const time = async (path: string, n = 40) => {
    const times: number[] = []
    let bytes = 0
    for (let i = 0; i < n; i += 1) {
      const at = performance.now()
      const answer = await test.asOperator(path)
      bytes = (await answer.text()).length
      times.push(performance.now() - at)
    }
    times.sort((a, b) => a - b)
    console.log(path, 'p50', times[n >> 1]?.toFixed(1), 'p99', times.at(-1)?.toFixed(1), 'bytes', bytes)
  }
  await time('/api/v1/chips?limit=100')
  await time('/api/v1/chips?limit=100&q=910')
  await time('/api/v1/nodes?limit=100')
  await time('/api/v1/fleet/map', 10)
  await time('/api/v1/fleet/summary', 10)
  await time('/api/v1/capacity', 10)
  await time('/api/v1/status', 10)
  await time('/metrics', 3)
  await test.close()
  process.exit(0)
}, seconds * 1000)
