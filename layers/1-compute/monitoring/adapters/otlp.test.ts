import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ChipLabels, type ChipReading, createOtlpExport } from '../index.ts'
import { CHIP_METRICS } from '../protocol.ts'

const point = z.object({
  attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string() }) })),
  timeUnixNano: z.string(),
  asDouble: z.number(),
})
const metric = z.object({
  name: z.string(),
  unit: z.string(),
  gauge: z.object({ dataPoints: z.array(point) }).optional(),
  sum: z
    .object({ dataPoints: z.array(point), isMonotonic: z.literal(true), aggregationTemporality: z.literal(2) })
    .optional(),
})
/** As far as the collector's documents say what OTLP's JSON form looks like. */
const request = z.object({
  resourceMetrics: z.array(
    z.object({
      resource: z.object({ attributes: point.shape.attributes }),
      scopeMetrics: z.array(z.object({ metrics: z.array(metric) })),
    }),
  ),
})

const received: { path: string; headers: IncomingHttpHeaders; body: z.infer<typeof request> }[] = []
let status = 200
const collector = createServer(async (incoming, response) => {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece)
  const packed = Buffer.concat(pieces)
  const text = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(packed) : packed
  const body = request.parse(JSON.parse(text.toString('utf8')))
  received.push({ path: incoming.url ?? '', headers: incoming.headers, body })
  response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
})
let endpoint = ''
beforeAll(async () => {
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const address = collector.address()
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/otlp/`
})
afterAll(() => new Promise<void>((resolve) => void collector.close(() => resolve())))
beforeEach(() => {
  received.length = 0
  status = 200
})

const labels = (chip: string): ChipLabels => {
  return { vendor: 'cpu', product: 'P', chip, index: '0', node: 'n', rack: '', simulated: 'true' }
}
const reading = (chipUuid: string, atMs: number, values: Readonly<Record<string, number>>): ChipReading => {
  return { chipUuid, nodeId: 'node_a', atMs, values: CHIP_METRICS.map(({ name }) => values[name] ?? null) }
}
const AT = Date.UTC(2026, 10, 23) + 123

function exporting(readings: () => ChipReading[], log: string[] = []) {
  const headers = { authorization: 'Bearer hidden-token' }
  const take = (message: string, fields: object) => void log.push(JSON.stringify([message, fields]))
  const labelsOf = (chip: string) => (chip === 'strange' ? null : labels(chip))
  return createOtlpExport({ endpoint, headers, intervalMs: 20, readings, labelsOf, log: take })
}
const metricsOf = (index: number) =>
  received[index]?.body.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)) ??
  []

describe('OTLP export', () => {
  it('sends each known reading with its labels, unit and own time', async () => {
    const values = { utilizationRatio: 0.25, eccErrorsUncorrected: 3 }
    const otlp = exporting(() => [reading('a', AT, values), reading('strange', AT, values)])
    expect(await otlp.flush()).toBe(2)
    await otlp.stop()
    expect(received[0]).toMatchObject({ path: '/otlp/v1/metrics', headers: { authorization: 'Bearer hidden-token' } })
    const [utilisation, errors] = metricsOf(0)
    expect(utilisation).toMatchObject({ name: 'medley_chip_utilization_ratio', unit: '1' })
    const [sent] = utilisation?.gauge?.dataPoints ?? []
    expect(sent).toMatchObject({ asDouble: 0.25, timeUnixNano: `${AT}000000` })
    const attributes = sent?.attributes.map(({ key, value }) => [key, value.stringValue]) ?? []
    expect(Object.fromEntries(attributes)).toEqual(labels('a'))
    expect(errors).toMatchObject({ name: 'medley_chip_ecc_errors_uncorrected_total', sum: { isMonotonic: true } })
    expect(metricsOf(0)).toHaveLength(2)
  })

  it('sends a reading once, and a large fleet in several requests', async () => {
    const chips = Array.from({ length: 3_000 }, (_, index) => `chip-${index}`)
    let atMs = AT
    const values = { utilizationRatio: 1, powerWatts: 300, temperatureCelsius: 50 }
    const otlp = exporting(() => chips.map((chip) => reading(chip, atMs, values)))
    expect(await otlp.flush()).toBe(9_000)
    expect(received.length).toBe(2)
    expect(await otlp.flush()).toBe(0)
    atMs += 15_000
    expect(await otlp.flush()).toBe(9_000)
    await otlp.stop()
  }, 60_000)

  it('says once that the collector refuses, without the token, and goes on by itself', async () => {
    const log: string[] = []
    let atMs = AT
    status = 401
    const next = () => {
      atMs += 1
      return [reading('a', atMs, { powerWatts: 1 })]
    }
    const otlp = exporting(next, log)
    expect(await otlp.flush()).toBeNull()
    expect(await otlp.flush()).toBeNull()
    expect(log).toHaveLength(1)
    expect(log.join()).toContain('401')
    expect(log.join()).not.toContain('hidden')
    status = 200
    otlp.start()
    await expect.poll(() => log.length, { timeout: 20_000 }).toBe(2)
    await otlp.stop()
    expect(log[1]).toContain('again')
  }, 30_000)

  it('loads no library before it exports', async () => {
    const script = `
      const loaded = []
      const { registerHooks } = await import('node:module')
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
      const { createOtlpExport } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)})
      createOtlpExport({ endpoint: 'http://127.0.0.1:9', headers: {}, intervalMs: 1000, readings: () => [], labelsOf: () => null })
      console.log(loaded.length > 5, loaded.some((url) => url.includes('opentelemetry')))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(stdout.trim()).toBe('true false')
  }, 30_000)
})
