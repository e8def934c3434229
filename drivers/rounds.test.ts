import type { ChipDriver, PciFunction, ToolOutcome } from '@medley/fleet'
import { chipFacts } from '@medley/fleet/protocol'
import { describe, expect, it } from 'vitest'
import { createAscendDriver } from './ascend/driver.ts'
import { createCambriconDriver } from './cambricon/driver.ts'
import { machineOf, output } from './fixtures/machine.ts'
import { fixture } from './fixtures/sample-table.ts'
import { createHygonDriver } from './hygon/driver.ts'
import { createIluvatarDriver } from './iluvatar/driver.ts'
import { createKunlunxinDriver } from './kunlunxin/driver.ts'
import { createMthreadsDriver } from './mthreads/driver.ts'

const func = (vendorId: string, address: string, deviceId = 'd803'): PciFunction => ({
  address,
  vendorId,
  deviceId,
  classCode: '120000',
  numaNode: 1,
})

describe('a round of the two-die cards', () => {
  const pci = ['0000:11:00.0', '0000:12:00.0'].map((address) => func('19e5', address))
  const tool = (_: string, args: readonly string[]): ToolOutcome => {
    if (args[1] === '-m') return output(fixture('ascend', 'mapping-physical.txt'))
    if (args.includes('board')) return args.at(-1) === '1' ? output(fixture('ascend', 'board.txt')) : output('', 1)
    return output(fixture('ascend', 'info-two-dies.txt'))
  }

  it('takes identity from the board, version from the driver’s file, power from the one die that prints it', async () => {
    const files = { '/usr/local/Ascend/driver/version.info': 'Version=25.2.1.5\n' }
    const driver = createAscendDriver()
    const chips = await driver.read(machineOf({ files, tool }), pci)
    expect(chips.map((chip) => chipFacts.parse(chip))).toMatchObject([
      { uuid: 'ascend-pci-0000:11:00.0', powerWatts: 171.3, cardPowerWatts: 171.3, numaNode: 1, health: 'healthy' },
      {
        uuid: '0A0B0C0D 11112222 33334444 55556666 77778888',
        firmwareVersion: '7.7.0.1',
        driverVersion: '25.2.1.5',
        powerWatts: null,
        cardPowerWatts: 171.3,
        health: 'degraded',
      },
    ])
    expect(driver.bind(chips)).toMatchObject({
      env: { ASCEND_VISIBLE_DEVICES: '4,5' },
      devices: ['/dev/davinci4', '/dev/davinci5', '/dev/davinci_manager', '/dev/devmm_svm', '/dev/hisi_hdc'],
    })
  })

  it('keeps the uuid of a die that is lost, and takes no network card for a chip', async () => {
    const driver = createAscendDriver()
    await driver.read(machineOf({ tool }), pci)
    const first = fixture('ascend', 'info-two-dies.txt').split('\n').slice(0, 8).join('\n')
    const less = (name: string, args: readonly string[]) => (args.length === 1 ? output(first) : tool(name, args))
    const chips = await driver.read(machineOf({ tool: less }), [...pci, func('19e5', '0000:20:00.0', '1822')])
    expect(chips).toMatchObject([
      { pciAddress: '0000:11:00.0', health: 'healthy' },
      {
        uuid: '0A0B0C0D 11112222 33334444 55556666 77778888',
        health: 'lost',
        temperatureCelsius: null,
        healthReasons: [{ code: 'not-listed', params: { tool: 'npu-smi' } }],
      },
    ])
  })

  it('keeps the raw text of an answer it cannot read, once, and calls no chip healthy', async () => {
    const chips = await createAscendDriver().read(machineOf({ tool: () => output('#'.repeat(100_000), 0) }), pci)
    expect(chips.map((chip) => chip.health)).toEqual(['unusable', 'unusable'])
    expect(chips.map((chip) => String(chip.extra.rawOutput ?? '').length > 0)).toEqual([true, false])
    expect(String(chips[0]?.extra.rawOutput).length).toBeLessThanOrEqual(65_536)
  })
})

const VENDORS: readonly (readonly [() => ChipDriver, string, string, string, string])[] = [
  [createMthreadsDriver, '1ed5', 'mthreads', 'table.txt', '0000:5a:00.0'],
  [createCambriconDriver, 'cabc', 'cambricon', 'table-faulty.txt', '0000:21:00.0'],
  [createKunlunxinDriver, '2057', 'kunlunxin', 'log.txt', '0000:9a:00.0'],
  [createIluvatarDriver, '1e3e', 'iluvatar', 'query.csv', '0000:3f:00.0'],
  [createHygonDriver, '1d94', 'hygon', 'stray-commas.txt', '0000:45:00.0'],
]

describe.each(VENDORS)('a round of another vendor (%#)', (create, vendorId, vendor, file, address) => {
  const pci = [func(vendorId, address), func(vendorId, '0000:f1:00.0')]
  const answering = { tool: () => output(fixture(vendor, file)) }

  it('finds its card and the one that its tool forgets', async () => {
    const chips = await create().read(machineOf(answering), pci)
    expect(chips.find((chip) => chip.pciAddress === address)?.health).toMatch(/healthy|degraded/)
    expect(chips.find((chip) => chip.pciAddress === '0000:f1:00.0')).toMatchObject({ health: 'lost', numaNode: 1 })
  })

  it('tells a missing tool, a hung one and a killed one apart, and keeps what it knew of the card', async () => {
    const driver = create()
    const known = (await driver.read(machineOf(answering), pci)).find((chip) => chip.pciAddress === address)
    const reasons = ['missing', 'timeout', 'too-large'] as const
    const codes = await Promise.all(
      reasons.map(async (kind) => (await driver.read(machineOf({ tool: () => ({ kind }) }), pci))[0]),
    )
    expect(codes.map((chip) => [chip?.uuid, chip?.health, chip?.healthReasons[0]?.code])).toEqual(
      reasons.map((kind) => [known?.uuid, 'unusable', `tool-${kind}`]),
    )
    const killed = await driver.read(machineOf({ tool: () => output('', 137) }), pci)
    expect(killed[0]).toMatchObject({ health: 'unusable', healthReasons: [{ params: { exitCode: '137' } }] })
  })

  it('tells a card given to a virtual machine from a lost one', async () => {
    const files = { '/sys/bus/pci/devices/0000:f1:00.0/uevent': 'DRIVER=vfio-pci\n' }
    const chips = await create().read(machineOf({ ...answering, files }), pci)
    expect(chips.find((chip) => chip.pciAddress === '0000:f1:00.0')).toMatchObject({
      health: 'unusable',
      healthReasons: [{ code: 'bound-elsewhere', params: { driver: 'vfio-pci' } }],
    })
  })

  it('asks no tool where there is no hardware, and binds by number', async () => {
    let asked = 0
    const tool = () => {
      asked += 1
      return output('')
    }
    const driver = create()
    expect(await driver.read(machineOf({ tool }), [])).toEqual([])
    expect(asked).toBe(0)
    const chips = (await driver.read(machineOf(answering), pci)).slice(0, 1)
    expect(Object.values(driver.bind(chips).env)).toContain(`${chips[0]?.index}`)
  })
})

describe('a tool that prints no addresses', () => {
  it('counts a lost card without guessing which', async () => {
    const pci = [func('1d94', '0000:45:00.0'), func('1d94', '0000:46:00.0')]
    const tool = () => output(fixture('hygon', 'table-reordered.txt'))
    const chips = await createHygonDriver().read(machineOf({ tool }), pci)
    expect(chips.map((chip) => [chip.index, chip.pciAddress, chip.health])).toEqual([
      [2, null, 'healthy'],
      [null, null, 'lost'],
    ])
  })
})
