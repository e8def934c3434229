import { startTestStore, type TestStore } from '@medley/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChipLabels, createMonitoring, type Monitoring, monitoringMigrations } from './index.ts'
import { CHIP_METRICS } from './protocol.ts'

const NOW_MS = Date.UTC(2026, 10, 23)
const INTERVAL_MS = 15_000
const clock = { ms: NOW_MS, now: () => clock.ms }

let test: TestStore
let monitoring: Monitoring

beforeAll(async () => {
  test = await startTestStore(monitoringMigrations)
  monitoring = createMonitoring({ store: test.store, clock, gatherMs: 2 })
}, 120_000)
afterAll(async () => {
  await monitoring?.close()
  await test?.close()
})

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
// A line ends at `\n` alone: names may hold what other formats take for an end.
const LINE = /^([^ {]+)(?:\{(.*)\})? ([^ ]+)$/s

interface ParsedFamily {
  readonly type: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? expect.fail(`labels: ${text}`)
    if (name in labels) expect.fail(`label twice: ${name}`)
    labels[name] = value.replace(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}

/** As strict as the format says: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function parse(text: string): Map<string, ParsedFamily> {
  expect(text.endsWith('\n')).toBe(true)
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) current = openFamily(line, current, families)
    else addSample(line, current, families, seen)
  }
  return families
}

/** @returns the family that is open after the line: `HELP` comes first, then `TYPE`, both once. */
function openFamily(line: string, helped: string, families: Map<string, ParsedFamily>): string {
  const [, word, name = '', rest = ''] = /^# (HELP|TYPE) ([^ ]+) (.+)$/.exec(line) ?? expect.fail(`comment: ${line}`)
  expect(name).toMatch(NAME)
  if (families.has(name)) expect.fail(`family in two pieces: ${line}`)
  if (word === 'HELP') return name
  if (name !== helped) expect.fail(`type without help: ${line}`)
  families.set(name, { type: rest, samples: [] })
  return name
}

function addSample(line: string, current: string, families: Map<string, ParsedFamily>, seen: Set<string>): void {
  const [, sample = '', labels = '', value = ''] = LINE.exec(line) ?? expect.fail(`line: ${line}`)
  if (sample !== current) expect.fail(`sample outside its family: ${line}`)
  if (value.trim() === '' || Number.isNaN(Number(value))) expect.fail(`value: ${line}`)
  if (seen.has(sample + labels)) expect.fail(`twice: ${line}`)
  seen.add(sample + labels)
  families.get(sample)?.samples.push({ labels: parseLabels(labels), value: Number(value) })
}

const labelsOf = (chip: string): ChipLabels => ({
  vendor: 'acme',
  product: 'A "fast"\\slow\nchip, {芯片}',
  chip,
  index: '0',
  node: 'node-1',
  rack: '',
  simulated: 'true',
})

async function exposed(labels: (chip: string) => ChipLabels | null = labelsOf) {
  const pieces: string[] = []
  for await (const piece of monitoring.exposition(labels)) pieces.push(piece)
  return { pieces, families: pieces.length === 0 ? new Map<string, ParsedFamily>() : parse(pieces.join('')) }
}

const handIn = (nodeId: string, chips: readonly string[], atMs: number, value: (metric: number) => number | null) =>
  monitoring.ingest({
    nodeId,
    layout: { chips: [...chips], metrics: CHIP_METRICS.map(({ name }) => name) },
    samples: [{ atMs, values: chips.map(() => CHIP_METRICS.map((_, metric) => value(metric))) }],
    gaps: [],
    skewMs: 0,
    intervalMs: INTERVAL_MS,
  })

describe('the text for Prometheus', () => {
  it('has each family once, with its labels escaped, and counters named as such', async () => {
    await handIn('node_1', ['chip-1', 'chip-2'], NOW_MS, (metric) => (metric === 5 ? null : metric * 1e9 + 0.5))
    const { families } = await exposed()
    expect([...families.keys()]).toEqual(
      CHIP_METRICS.filter((_, metric) => metric !== 5).map(({ exposed: name }) => name),
    )
    for (const [name, { type, samples }] of families) {
      expect(type).toBe(name.endsWith('_total') ? 'counter' : 'gauge')
      expect(samples.map(({ labels }) => labels.chip)).toEqual(['chip-1', 'chip-2'])
      // An empty label is to Prometheus the same as none.
      const { rack: _, ...labels } = labelsOf('chip-1')
      expect(samples[0]?.labels).toEqual(labels)
    }
    expect(families.get('medley_chip_power_watts')?.samples[0]?.value).toBe(4e9 + 0.5)
  })

  it('leaves out chips that nobody knows and readings older than five intervals', async () => {
    await handIn('node_2', ['old'], NOW_MS - 5 * INTERVAL_MS - 1, () => 1)
    await handIn('node_3', ['new', 'foreign'], NOW_MS - 5 * INTERVAL_MS, () => 1)
    const { families } = await exposed((chip) => (chip === 'foreign' ? null : labelsOf(chip)))
    const chips = families.get('medley_chip_power_watts')?.samples.map(({ labels }) => labels.chip)
    expect(chips).toEqual(['chip-1', 'chip-2', 'new'])
    clock.ms += 60 * INTERVAL_MS
    expect((await exposed()).pieces).toEqual([])
    clock.ms = NOW_MS
  })

  it('comes in small pieces and lets others work in between', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `many-${index}`)
    await handIn('node_4', many, NOW_MS, (metric) => metric)
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    })
    const { pieces, families } = await exposed()
    clearInterval(timer)
    expect(families.get('medley_chip_health_ratio')?.samples.length).toBeGreaterThanOrEqual(1_000)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(256 * 1024)
    expect(turns).toBeGreaterThan(0)
  })

  it('stays valid whatever machines call themselves, and gives the name back', async () => {
    await handIn('node_odd', ['chip-odd'], NOW_MS, () => 1)
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('\\', '"', '\n', '\r', '\u2028', '节', '点', '🂡', '{', '}', ',', ' ', '#', 'n'),
      }),
      fc.constant('lone \ud800 half'),
    )
    await fc.assert(
      fc.asyncProperty(odd, odd, async (node, product) => {
        const named = (chip: string) => (chip === 'chip-odd' ? { ...labelsOf(chip), node, product } : null)
        const { pieces, families } = await exposed(named)
        // As it goes over the wire: half a character would not be UTF-8.
        expect(Buffer.from(pieces.join(''), 'utf8').toString('utf8')).toBe(pieces.join(''))
        const labels = families.get('medley_chip_power_watts')?.samples.at(-1)?.labels
        expect([labels?.node ?? '', labels?.product ?? '']).toEqual([node.toWellFormed(), product.toWellFormed()])
      }),
    )
  })
})
