import type { PciFunction, ToolOutcome } from '@medley/fleet'
import { chipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { machineOf, output } from './fixtures/machine.ts'
import * as fixtures from './fixtures/vendor-outputs.ts'
import { createDrivers } from './index.ts'
import { parseSavedOutput } from './saved-output.ts'

const MIB = 2 ** 20

function driverOf(name: string) {
  const driver = createDrivers().find((candidate) => candidate.name === name)
  if (!driver) throw new Error(`no driver ${name}`)
  return driver
}

function func(vendorId: string, address: string, classCode = '120000'): PciFunction {
  return { address, vendorId, deviceId: '0001', classCode, numaNode: 1 }
}

const read = (vendor: string, text: string, command?: string) => parseSavedOutput(driverOf(vendor), text, command)

describe('one saved output, read alone', () => {
  it('reads each layout by its headings and by the shape of its cells', () => {
    expect(read('metax', fixtures.METAX_TABLE)).toMatchObject({
      command: 'mx-smi',
      facts: { driverVersion: '3.0.11', runtimeVersion: '3.1.0.7', attached: 2 },
      chips: [
        {
          index: 0,
          product: 'MetaX C500',
          pciAddress: '0000:1a:00.0',
          temperatureCelsius: 61,
          powerWatts: 212,
          memoryUsedBytes: 40_960 * MIB,
          utilizationRatio: 0.37,
          health: 'healthy',
        },
        { index: 2, powerWatts: null, temperatureCelsius: 40, health: 'unusable', extra: { powerLimitWatts: 350 } },
      ],
    })
    expect(read('enflame', fixtures.ENFLAME_TABLE).chips).toMatchObject([
      {
        product: 'Enflame L300',
        temperatureCelsius: 35,
        powerWatts: 68,
        memoryTotalBytes: 147_456 * MIB,
        utilizationRatio: 0.12,
        serial: 'A098Z00000001',
        firmwareVersion: '40.2.9.1',
      },
    ])
    expect(read('gaudi', fixtures.GAUDI_TABLE)).toMatchObject({
      facts: { driverVersion: '1.22.0-abcdef1' },
      chips: [
        {
          index: 3,
          product: 'HL-325',
          pciAddress: '0000:21:1d.0',
          powerWatts: 264,
          memoryUsedBytes: 672 * MIB,
          memoryTotalBytes: 131_072 * MIB,
          utilizationRatio: 0.07,
          health: 'degraded',
          eccErrorsUncorrected: 1,
        },
      ],
    })
    expect(read('thead', fixtures.THEAD_TABLE).chips).toMatchObject([
      { index: 0, product: 'PPU-ZW810E', powerWatts: 97, temperatureCelsius: 41, eccErrorsUncorrected: 2 },
    ])
  })

  it('reads the logs, queries and lists of the same chips to the same facts', () => {
    const same = {
      uuid: 'GPU-0000aaaa-0001',
      pciAddress: '0000:a8:00.0',
      memoryUsedBytes: 1024 * MIB,
      powerWatts: 97.5,
    }
    expect(read('thead', fixtures.THEAD_QUERY).chips[0]).toMatchObject(same)
    expect(read('thead', fixtures.THEAD_LOG).chips[0]).toMatchObject({ ...same, utilizationRatio: 0.12 })
    expect(read('thead', fixtures.THEAD_QUERY).chips[1]).toMatchObject({ powerWatts: null, health: 'lost' })
    expect(read('gaudi', fixtures.GAUDI_QUERY).chips).toMatchObject([
      { index: 3, product: 'HL-325L', memoryUsedBytes: 672 * MIB, powerWatts: 226, extra: { powerLimitWatts: 850 } },
    ])
    expect(read('biren', fixtures.BIREN_QUERY).chips).toMatchObject([
      { index: 0, product: 'Biren106M', memoryUsedBytes: 1024 * MIB, memoryTotalBytes: 32_512 * MIB },
      { index: 1, memoryUsedBytes: 0 },
    ])
    expect(read('enflame', fixtures.ENFLAME_DMON).chips).toMatchObject([
      { index: 0, memoryTotalBytes: 40_000 * MIB, memoryUsedBytes: 10_000 * MIB, utilizationRatio: 0.5, product: null },
    ])
  })

  it('reads columns without a heading by the fields the command asked for', () => {
    const bare = '0, 98304, 1024, 97.50\n'
    const fields = '--query-ppu=index,memory.total,memory.used,power.draw --format=csv,noheader,nounits'
    expect(read('thead', bare, `ppu-smi ${fields}`).chips).toMatchObject([
      { index: 0, memoryTotalBytes: 98_304 * MIB, memoryUsedBytes: 1024 * MIB, powerWatts: 97.5 },
    ])
  })

  it('reads JSON of any version, with the commas some tools strew in it', () => {
    expect(read('amd', fixtures.AMD_ROCM).chips).toMatchObject([
      {
        index: 1,
        product: 'AMD Instinct MI300X',
        pciAddress: '0000:0c:00.0',
        temperatureCelsius: 48,
        powerWatts: 141,
        memoryTotalBytes: 206_141_652_992,
        driverVersion: '6.8.5',
        features: ['gfx942'],
      },
    ])
    expect(read('amd', fixtures.AMD_SMI).chips).toMatchObject([
      { index: 1, temperatureCelsius: 49, powerWatts: 142, memoryUsedBytes: 283 * MIB, computeUnits: 304 },
    ])
    expect(read('intel', fixtures.INTEL_DISCOVERY).chips).toMatchObject([
      { index: 0, product: 'Intel(R) Data Center GPU Max 1100', pciAddress: '0000:4d:00.0' },
    ])
    expect(read('intel', fixtures.INTEL_DUMP).chips).toMatchObject([
      { index: 0, utilizationRatio: 0.125, powerWatts: 118.4, memoryUsedBytes: 2048 * MIB },
    ])
    expect(read('vastai', fixtures.VASTAI_JSON).chips).toMatchObject([
      { pciAddress: '0000:18:00.0', serial: 'SN0001', memoryTotalBytes: 16_384 * MIB, temperatureCelsius: 52 },
    ])
  })

  it('gives the chips of one card its key, and its power once', () => {
    const boards = read('metax', fixtures.METAX_BOARDS).chips
    expect(boards).toMatchObject([
      { index: 0, chipOnCard: 0, powerWatts: 300, cardPowerWatts: 300 },
      { index: 1, chipOnCard: 1, powerWatts: null, cardPowerWatts: 300 },
    ])
    expect(new Set(boards.map((chip) => chip.cardKey)).size).toBe(1)
    const chips = read('tsingmicro', fixtures.TSINGMICRO_CHIPS).chips
    expect(chips).toMatchObject([
      { chipOnCard: 0, powerWatts: 96, cardPowerWatts: 190, temperatureCelsius: 42 },
      { chipOnCard: 1, powerWatts: 94, cardPowerWatts: 190, utilizationRatio: 0.06 },
    ])
    expect(read('tsingmicro', fixtures.TSINGMICRO_ROWS).chips).toMatchObject([
      { index: 1, pciAddress: '0000:82:00.0', powerWatts: 95 },
    ])
  })

  it('counts of the processes of a chip those of the last loop', () => {
    expect(read('vastai', fixtures.VASTAI_PMON).chips).toMatchObject([
      { index: 0, chipOnCard: 0, utilizationRatio: 0.25, memoryUsedBytes: Math.round(15.5 * MIB) },
      { index: 0, chipOnCard: 1, memoryUsedBytes: MIB },
      { index: 1, chipOnCard: 0, memoryUsedBytes: null, utilizationRatio: null },
    ])
  })

  it('says what ails a chip, and never calls it healthy', () => {
    const [worn, broken] = read('enflame', fixtures.ENFLAME_LOG).chips
    expect(worn).toMatchObject({ health: 'degraded', pciAddress: '0001:2f:00.0', eccErrorsUncorrected: 2 })
    expect(worn?.healthReasons.map(({ code, params }) => params.value ?? code)).toEqual([
      'RMA',
      'Power cable Abnormal',
      'ecc-uncorrected',
      'link-narrow',
    ])
    expect(broken).toMatchObject({ health: 'unusable', index: 5, powerWatts: null })
    expect(read('metax', fixtures.METAX_LIST).chips[1]).toMatchObject({
      health: 'unusable',
      healthReasons: [{ params: { value: 'Not Available(Driver version mismatch)' } }],
    })
  })

  it('keeps the text that it cannot read', () => {
    expect(read('amd', 'sh: rocm-smi: not found\n')).toMatchObject({ chips: [], raw: 'sh: rocm-smi: not found\n' })
  })
})

describe('chips of a machine', () => {
  const metax = (name: string, args: readonly string[]): ToolOutcome | null =>
    name === 'mx-smi' ? output(args.includes('-L') ? fixtures.METAX_LIST : fixtures.METAX_TABLE) : null

  it('joins what several commands say, and finds the card that none of them lists', async () => {
    const pci = ['0000:1a:00.0', '0000:3b:00.0', '0000:5e:00.0'].map((address) => func('9999', address))
    const driver = driverOf('metax')
    const chips = await driver.read(machineOf({ tool: metax }), pci)
    expect(chips).toMatchObject([
      { uuid: 'GPU-1111-aaaa', product: 'MXC500', powerWatts: 212, numaNode: 1, health: 'healthy' },
      { index: 2, pciAddress: '0000:3b:00.0', health: 'unusable' },
      { pciAddress: '0000:5e:00.0', health: 'lost', healthReasons: [{ code: 'not-listed' }] },
    ])
    expect(driver.bind(chips.slice(0, 2))).toMatchObject({
      env: { MACA_VISIBLE_DEVICES: '0,2' },
      devices: ['/dev/mxcd', '/dev/dri'],
    })
  })

  it.each([
    ['missing', { kind: 'missing' } as const, 'tool-missing'],
    ['hanging', { kind: 'timeout' } as const, 'tool-timeout'],
    ['flooding', { kind: 'too-large' } as const, 'tool-too-large'],
    ['babbling', output('\u0000\ufffd|||%%\n'), 'tool-failed'],
    ['killed', output('', 137, 'Killed\n'), 'tool-failed'],
  ])('calls each card unusable whose tool is %s', async (_, outcome, code) => {
    for (const name of ['amd', 'biren', 'enflame', 'gaudi', 'intel', 'metax', 'thead', 'vastai']) {
      const driver = driverOf(name)
      const pci = [func(driver.pciVendorIds[0] ?? '', '0000:3b:00.0', '030200')]
      const chips = await driver.read(machineOf({ tool: () => outcome }), pci)
      expect(chips.map((chip) => [driver.name, chip.health, chip.healthReasons[0]?.code])).toEqual([
        [driver.name, 'unusable', code],
      ])
    }
  })

  it('asks a tool that hangs no second time in a round', async () => {
    const asked: string[] = []
    const tool = (name: string): ToolOutcome => {
      asked.push(name)
      return { kind: 'timeout' }
    }
    await driverOf('amd').read(machineOf({ tool }), [func('1002', '0000:0c:00.0', '030000')])
    expect(asked).toHaveLength(1)
  })

  it('passes over what the vendor makes besides accelerators', async () => {
    const host = machineOf({})
    expect(await driverOf('intel').read(host, [func('8086', '0000:00:02.0', '030000')])).toEqual([])
    expect(await driverOf('amd').read(host, [func('1002', '0000:0c:00.0', '0b4000')])).toEqual([])
  })

  it('shows an accelerator that no driver claims, and no console', async () => {
    const pci = [
      func('1ecc', '0000:21:00.0'),
      func('beef', '0000:22:00.0', '030200'),
      func('102b', '0000:03:00.0', '038000'),
      func('10de', '0000:3b:00.0', '030200'),
      func('beef', '0000:23:00.0', '030000'),
    ]
    const chips = await driverOf('unknown').read(machineOf({}), pci)
    expect(chips.map((chip) => chipFacts.parse(chip))).toMatchObject([
      { product: 'Sunrise 1ecc:0001', health: 'unknown', healthReasons: [{ code: 'no-parser' }] },
      { product: 'Unknown accelerator beef:0001', pciAddress: '0000:22:00.0' },
    ])
  })

  it('tells by name whose layouts were never seen in real output', () => {
    const unverified = createDrivers().filter((driver) => !driver.layoutVerified)
    expect(unverified.map((driver) => driver.name)).toEqual(['biren', 'intel', 'vastai', 'unknown'])
  })
})
