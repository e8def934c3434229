import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDriverHost } from '@medley/agent'
import { waitFor } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningFactory, startFactory } from '../../tests/factory.ts'
import { createDrivers, parseSavedOutput, type SavedChip } from '../index.ts'

const TOOL = 'nvidia-smi'

/** What the tool prints on this machine; `null` where there is no tool or it fails. */
function ask(...args: string[]): string | null {
  try {
    return execFileSync(TOOL, args, { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
}

const identities = (ask('--query-gpu=uuid,name,memory.total', '--format=csv,noheader,nounits') ?? '')
  .trim()
  .split('\n')
  .filter((line) => line.startsWith('GPU-'))
  .map((line) => line.split(', '))
const present = identities.length > 0
if (!present) console.warn('SKIPPED: no NVIDIA card answers on this machine, so nothing here was tried')

const SAVED: Readonly<Record<string, readonly string[]>> = {
  'table.txt': [],
  'list.txt': ['-L'],
  'query.csv': ['--query-gpu=index,uuid,pci.bus_id,name,driver_version,memory.total,memory.used', '--format=csv'],
  'log.xml': ['-q', '-x'],
  'topology.txt': ['topo', '-m'],
}

/** Outputs of this machine as fixtures of our own, where a folder for them is named; identities are replaced. */
function keep(name: string, text: string): void {
  const folder = process.env.MEDLEY_KEEP_FIXTURES
  if (folder === undefined) return
  let kept = text
  for (const [at, [uuid = '']] of identities.entries()) {
    kept = kept.replaceAll(uuid, `GPU-00000000-0000-4000-8000-${String(at).padStart(12, '0')}`)
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), kept.replaceAll(/(<serial>)[^<]*/g, '$10000000000000'))
}

describe.skipIf(!present)('a real card', () => {
  const driver = createDrivers().find(({ name }) => name === 'nvidia')

  it('is read by the driver as its tool tells it', async () => {
    const host = createDriverHost()
    const addresses = await host.readDirectory('/sys/bus/pci/devices')
    const bus = await Promise.all(
      addresses.map(async (address) => {
        const read = async (file: string) =>
          ((await host.readFile(`/sys/bus/pci/devices/${address}/${file}`)) ?? '').trim().replace(/^0x/, '')
        const [vendorId, deviceId, classCode] = [await read('vendor'), await read('device'), await read('class')]
        return { address, vendorId, deviceId, classCode, numaNode: null }
      }),
    )
    const chips = await driver?.read(
      host,
      bus.filter(({ vendorId, classCode }) => vendorId === '10de' && /^03/.test(classCode)),
    )
    expect(chips?.map((chip) => [chip.uuid, chip.product])).toEqual(identities.map(([uuid, name]) => [uuid, name]))
    for (const chip of chips ?? []) {
      expect(chip).toMatchObject({ health: expect.stringMatching(/healthy|degraded/), simulated: false })
      expect(chip.temperatureCelsius).toBeGreaterThan(0)
      expect(chip.powerWatts).toBeGreaterThan(0)
      expect(chip.sensors?.clockHertz).toBeGreaterThan(0)
    }
  })

  it.each(Object.entries(SAVED))('is found in the saved output %s', (name, args) => {
    const text = ask(...args) ?? ''
    keep(name, text)
    expect(driver).toBeDefined()
    const parsed = driver === undefined ? null : parseSavedOutput(driver, text)
    expect(parsed?.raw).toBeNull()
    const uuids = (parsed?.chips ?? []).map((chip: SavedChip) => chip.uuid).filter((uuid) => uuid !== null)
    // The table and the matrix print no uuids.
    if (!['table.txt', 'topology.txt'].includes(name)) expect(uuids).toEqual(identities.map(([uuid]) => uuid))
    if (name === 'table.txt') expect(parsed?.chips).toHaveLength(identities.length)
  })
})

describe.skipIf(!present)('a factory with a real card', () => {
  let factory: RunningFactory
  beforeAll(async () => {
    factory = await startFactory({ args: ['--no-starter', '--no-proving'] })
  }, 300_000)
  afterAll(() => factory.stop())

  it('exposes its readings as metrics', async () => {
    const uuid = identities[0]?.[0] ?? ''
    const lines = await waitFor(
      'readings of the card',
      async () => {
        const text = await (await fetch(`${factory.consoleUrl}/metrics`)).text()
        const found = text.split('\n').filter((line) => line.includes(uuid))
        return found.length >= 10 && found
      },
      { timeoutMs: 90_000, intervalMs: 1_000 },
    )
    for (const metric of ['temperature_celsius', 'power_watts', 'memory_total_bytes', 'clock_hertz']) {
      expect(lines.some((line) => line.startsWith(`medley_chip_${metric}{`))).toBe(true)
    }
    expect(lines.every((line) => line.includes('simulated="false"'))).toBe(true)
  })
})
