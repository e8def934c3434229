import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chipFacts } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machineOf, output } from './fixtures/machine.ts'
import * as fixtures from './fixtures/vendor-outputs.ts'
import { createDrivers } from './index.ts'
import { parseSavedOutput } from './saved-output.ts'

const SAMPLES = fileURLToPath(new URL('../../shared/facts/chips/samples', import.meta.url))
const RUNS = Number(process.env.MEDLEY_FUZZ ?? 300)

/** What is mutated: our own fixtures, and the vendor's samples where they are. */
const SEEDS: Readonly<Record<string, readonly string[]>> = {
  metax: [fixtures.METAX_TABLE, fixtures.METAX_BOARDS, fixtures.METAX_LIST, ...samplesOf('metax')],
  enflame: [fixtures.ENFLAME_LOG, fixtures.ENFLAME_TABLE, fixtures.ENFLAME_DMON, ...samplesOf('enflame')],
  thead: [fixtures.THEAD_QUERY, fixtures.THEAD_TABLE, fixtures.THEAD_LOG, ...samplesOf('thead')],
  gaudi: [fixtures.GAUDI_TABLE, fixtures.GAUDI_QUERY, ...samplesOf('intel-gaudi')],
  amd: [fixtures.AMD_ROCM, fixtures.AMD_SMI, ...samplesOf('amd')],
  intel: [fixtures.INTEL_DISCOVERY, fixtures.INTEL_DUMP],
  biren: [fixtures.BIREN_QUERY],
  vastai: [fixtures.VASTAI_PMON, fixtures.VASTAI_JSON, ...samplesOf('vastai')],
  tsingmicro: [fixtures.TSINGMICRO_ROWS, fixtures.TSINGMICRO_CHIPS, ...samplesOf('tsingmicro')],
  unknown: samplesOf('lspci'),
}

function samplesOf(folder: string): string[] {
  const root = `${SAMPLES}/${folder}`
  return existsSync(root) ? readdirSync(root).map((name) => readFileSync(`${root}/${name}`, 'utf8')) : []
}

/** One harm done to a text: cut, reordered, doubled, garbled or with bytes in it that are no UTF-8. */
type Harm = (text: string) => string

const at = fc.double({ min: 0, max: 1, noNaN: true })
const harm: fc.Arbitrary<Harm> = fc.oneof(
  at.map(
    (part): Harm =>
      (text) =>
        text.slice(0, Math.floor(text.length * part)),
  ),
  at.map(
    (part): Harm =>
      (text) =>
        text.slice(Math.floor(text.length * part)),
  ),
  fc.tuple(at, at).map(
    ([from, to]): Harm =>
      (text) =>
        swapLines(text, from, to),
  ),
  fc.tuple(at, fc.string({ maxLength: 12 })).map(
    ([part, put]): Harm =>
      (text) =>
        insert(text, part, put),
  ),
  fc.tuple(at, fc.uint8Array({ maxLength: 8 })).map(
    ([part, bytes]): Harm =>
      (text) =>
        insert(text, part, new TextDecoder().decode(bytes)),
  ),
  fc
    .tuple(at, fc.constantFrom('N/A', 'ERR!', '[GPU is lost]', '-1', '1e99', '99999999999999999999', '\u0000', '|||'))
    .map(
      ([part, word]): Harm =>
        (text) =>
          insert(text, part, word),
    ),
  fc.constant<Harm>((text) => text.replaceAll('\n', '\r\n')),
  fc.constant<Harm>((text) => text.replaceAll(' ', '')),
  fc.constant<Harm>((text) => `${text}${text}`),
)

function swapLines(text: string, from: number, to: number): string {
  const lines = text.split('\n')
  const [one, other] = [Math.floor(from * lines.length), Math.floor(to * lines.length)]
  const moved = lines[one] ?? ''
  lines[one] = lines[other] ?? ''
  lines[other] = moved
  return lines.join('\n')
}

function insert(text: string, part: number, put: string): string {
  const place = Math.floor(text.length * part)
  return text.slice(0, place) + put + text.slice(place + put.length)
}

describe('output that no tool should print', () => {
  it.each(Object.keys(SEEDS))(
    '%s: neither throws nor makes facts up',
    async (vendor) => {
      const driver = createDrivers().find(({ name }) => name === vendor)
      if (!driver) throw new Error(`no driver ${vendor}`)
      const seeds = SEEDS[vendor] ?? []
      const text = fc
        .tuple(
          seeds.length > 0 ? fc.constantFrom(...seeds) : fc.string(),
          fc.array(harm, { minLength: 1, maxLength: 4 }),
        )
        .map(([seed, harms]) => harms.reduce((harmed, one) => one(harmed), seed))
      const id = driver.pciVendorIds[0] ?? ''
      const pci = [{ address: '0000:77:00.0', vendorId: id, deviceId: '0001', classCode: '038000', numaNode: null }]
      await fc.assert(
        fc.asyncProperty(text, async (printed) => {
          for (const chip of driver.parseOutput(printed).chips) expect(chipFacts.safeParse(chip).success).toBe(true)
          const saved = parseSavedOutput(driver, printed)
          // What could not be read is kept; what was read is not called unreadable.
          // A listing of the bus was read also where it shows no chip of this vendor.
          const isBus = saved.command === 'lspci -Dnn'
          expect(saved.raw === null).toBe(isBus || saved.chips.length > 0 || Object.keys(saved.facts).length > 0)
          const chips = await driver.read(machineOf({ tool: () => output(printed) }), id === '*' ? [] : pci)
          for (const chip of chips) expect(chipFacts.safeParse(chip).success).toBe(true)
          const own = chips.filter((chip) => chip.pciAddress === '0000:77:00.0')
          if (id !== '' && id !== '*') expect(own.every((chip) => chip.health !== 'healthy')).toBe(true)
        }),
        { numRuns: RUNS },
      )
    },
    1_200_000,
  )

  it('reads ten megabytes to their end, whatever is in them', () => {
    const table = fixtures.METAX_TABLE
    const floods = [
      table.repeat(Math.ceil(1e7 / table.length)),
      '|'.repeat(1e7),
      'A '.repeat(5e6),
      '0, '.repeat(3_400_000),
      `{"elem": [${'{"a": 1},'.repeat(1e6)}`,
      'Key : value\n'.repeat(8e5),
    ]
    for (const driver of createDrivers().filter(({ name }) => name in SEEDS)) {
      for (const flood of floods) {
        const { chips } = driver.parseOutput(flood)
        expect(chips.every((chip) => chipFacts.safeParse(chip).success)).toBe(true)
      }
    }
  }, 300_000)
})
