import type { ChipDriver, PciFunction } from '@medley/fleet'
import { chipFacts } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileText, hugeTexts } from './fixtures/hostile-text.ts'
import { machineOf, output } from './fixtures/machine.ts'
import { textsOf } from './fixtures/sample-table.ts'
import { createDrivers } from './index.ts'
import { RAW_TEXT_LIMIT } from './outputs.ts'

/** 300 at every change, 10,000 every night; `MEDLEY_FUZZ` asks for another number. */
const RUNS = Number(process.env.MEDLEY_FUZZ ?? (process.env.MEDLEY_LANE === 'nightly' ? 10_000 : 300))
/** Generous: many runs on a slow machine, not a measurement. */
const PATIENCE_MS = 120_000 + RUNS * 100

/** Names of the folders of real samples, where they differ from the driver's. */
const FOLDERS: Readonly<Record<string, string>> = { ascend: 'huawei', gaudi: 'intel-gaudi' }

const seedsOf = (vendor: string): string[] => {
  const folder = FOLDERS[vendor] ?? vendor
  return textsOf(vendor, [new RegExp(`^${folder}/`), new RegExp(`^synthetic/${folder}`)])
}

function expectSound(driver: ChipDriver, text: string, command?: string): void {
  const parsed = driver.parseOutput(text, command)
  for (const chip of parsed.chips) expect(chipFacts.safeParse(chip).error).toBeUndefined()
  const empty = parsed.chips.length === 0 && Object.keys(parsed.facts).length === 0
  expect(parsed.raw).toBe(empty ? text.slice(0, RAW_TEXT_LIMIT) : null)
}

describe.each(createDrivers().map((driver) => [driver.name, driver] as const))(
  '%s and hostile output',
  (name, driver) => {
    const seeds = seedsOf(name)

    it(
      'reads any change of any output without throwing, into facts of the right shape',
      () => {
        fc.assert(
          fc.property(hostileText(seeds), (text) => expectSound(driver, text)),
          { numRuns: RUNS },
        )
      },
      PATIENCE_MS,
    )

    it(
      'reads any output as that of any of its commands',
      () => {
        const commands = [...new Set(seeds.flatMap((seed) => driver.recognise(seed) ?? []))]
        fc.assert(
          fc.property(hostileText(seeds), fc.constantFrom(...commands, 'x'), (text, command) =>
            expectSound(driver, text, command),
          ),
          { numRuns: Math.ceil(RUNS / 3) },
        )
      },
      PATIENCE_MS,
    )

    it(
      'reads ten megabytes of anything',
      () => {
        for (const text of hugeTexts(seeds)) {
          const { raw } = driver.parseOutput(text)
          expect(raw?.length ?? 0).toBeLessThanOrEqual(RAW_TEXT_LIMIT)
        }
      },
      PATIENCE_MS,
    )

    it.skipIf(driver.pciVendorIds.length === 0)(
      'keeps every card of the bus, once, whatever its tool prints',
      async () => {
        const pci: PciFunction[] = ['0000:11:00.0', '0000:5a:00.0'].map((address) => ({
          address,
          vendorId: driver.pciVendorIds[0] ?? '',
          deviceId: 'd802',
          classCode: '038000',
          numaNode: 0,
        }))
        const found = createDrivers().find((candidate) => candidate.name === name)
        // Which functions are this vendor's accelerators: those it shows where its tool is missing.
        const bare = (await found?.read(machineOf({}), pci)) ?? []
        const addresses = bare.flatMap((chip) => chip.pciAddress ?? [])
        await fc.assert(
          fc.asyncProperty(hostileText(seeds), fc.constantFrom(0, 1, 137), async (text, exitCode) => {
            const chips = (await found?.read(machineOf({ tool: () => output(text, exitCode) }), pci)) ?? []
            expect(new Set(chips.map((chip) => chip.uuid)).size).toBe(chips.length)
            for (const chip of chips) expect(chipFacts.safeParse(chip).error).toBeUndefined()
            const homeless = chips.filter((chip) => chip.pciAddress === null).length
            for (const address of homeless > 0 ? [] : addresses) {
              expect(chips.filter((chip) => chip.pciAddress === address).length).toBeGreaterThan(0)
            }
          }),
          { numRuns: Math.ceil(RUNS / 3) },
        )
      },
      PATIENCE_MS,
    )
  },
)
