import type { PciFunction, ToolOutcome } from '@medley/fleet'
import { chipFacts } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machineOf, output } from '../fixtures/machine.ts'
import { createNvidiaDriver } from './driver.ts'

function func(address: string, numaNode: number | null = null): PciFunction {
  return { address, vendorId: '10de', deviceId: '2335', classCode: '030200', numaNode }
}

const TWO = [func('0000:3b:00.0', 0), func('0000:86:00.0', 1)]

const SHORT = `index, uuid, pci.bus_id, name, driver_version, memory.total [MiB], memory.used [MiB]
0, GPU-aaaa, 00000000:3B:00.0, NVIDIA H200, 570.86.15, 143771, 1024
1, GPU-bbbb, 00000000:86:00.0, NVIDIA H200, 570.86.15, 143771, 0
`
const LONG = `index, uuid, serial, vbios_version, utilization.gpu [%], temperature.gpu, power.draw [W], power.limit [W], ecc.errors.uncorrected.volatile.total, mig.mode.current, compute_cap, pcie.link.gen.current, pcie.link.width.current, pcie.link.width.max
0, GPU-aaaa, 1650000000001, 96.00.BC.00.01, 37, 41, 120.55, 700.00, 0, Disabled, 9.0, 5, 16, 16
1, GPU-bbbb, [N/A], 96.00.BC.00.01, [N/A], ERR!, [Not Supported], 700.00, 3, Disabled, 9.0, 1, 8, 16
`

/** The tool, answering the short query, the long one and `-q -x`. */
function smi(short: ToolOutcome, long: ToolOutcome = output('', 2), xml: ToolOutcome = output('', 1)) {
  return (_: string, args: readonly string[]): ToolOutcome => {
    if (args.includes('-x')) return xml
    return args[0]?.includes('pci.bus_id') ? short : long
  }
}

describe('cards read by nvidia-smi', () => {
  it('joins both queries by uuid and the bus by address', async () => {
    const chips = await createNvidiaDriver().read(machineOf({ tool: smi(output(SHORT), output(LONG)) }), TWO)
    expect(chips.map((chip) => chipFacts.parse(chip))).toMatchObject([
      {
        uuid: 'GPU-aaaa',
        index: 0,
        pciAddress: '0000:3b:00.0',
        product: 'NVIDIA H200',
        memoryTotalBytes: 143771 * 2 ** 20,
        memoryUsedBytes: 2 ** 30,
        utilizationRatio: 0.37,
        temperatureCelsius: 41,
        powerWatts: 120.55,
        health: 'healthy',
        numaNode: 0,
        driverVersion: '570.86.15',
        features: ['sm_90'],
      },
      {
        uuid: 'GPU-bbbb',
        serial: null,
        memoryUsedBytes: 0,
        utilizationRatio: null,
        temperatureCelsius: null,
        powerWatts: null,
        health: 'degraded',
        healthReasons: [
          { code: 'ecc-uncorrected', params: { count: '3' } },
          { code: 'link-narrow', params: { current: '8', maximum: '16' } },
        ],
      },
    ])
  })

  it('keeps the cards when an older driver refuses the second query', async () => {
    const refused = output('Field "compute_cap" is not a valid field to query.\n', 2)
    const chips = await createNvidiaDriver().read(machineOf({ tool: smi(output(SHORT), refused) }), TWO)
    expect(chips.map((chip) => [chip.uuid, chip.health, chip.powerWatts])).toEqual([
      ['GPU-aaaa', 'healthy', null],
      ['GPU-bbbb', 'healthy', null],
    ])
  })

  it('reports a card that the tool cannot open as lost, under the uuid it had', async () => {
    const driver = createNvidiaDriver()
    await driver.read(machineOf({ tool: smi(output(SHORT), output(LONG)) }), TWO)
    const lines = SHORT.split('\n')
    const partial = `Unable to determine the device handle for GPU1: 0000:86:00.0: Unknown Error\n${lines[0]}\n${lines[1]}\n`
    const chips = await driver.read(machineOf({ tool: smi(output(partial)) }), TWO)
    expect(chips).toMatchObject([
      { uuid: 'GPU-aaaa', health: 'healthy' },
      { uuid: 'GPU-bbbb', health: 'lost', memoryUsedBytes: null, healthReasons: [{ code: 'not-listed' }] },
    ])
  })

  it('finds a lost card that was never seen by the bus alone', async () => {
    const oneRow = SHORT.split('\n').slice(0, 2).join('\n')
    const chips = await createNvidiaDriver().read(machineOf({ tool: smi(output(oneRow)) }), TWO)
    expect(chips[1]).toMatchObject({
      uuid: 'nvidia-pci-0000:86:00.0',
      health: 'lost',
      memoryTotalBytes: null,
      numaNode: 1,
    })
  })

  it('tells a card given to a virtual machine from a lost one', async () => {
    const oneRow = SHORT.split('\n').slice(0, 2).join('\n')
    const files = { '/sys/bus/pci/devices/0000:86:00.0/uevent': 'DRIVER=vfio-pci\nPCI_CLASS=30200\n' }
    const chips = await createNvidiaDriver().read(machineOf({ files, tool: smi(output(oneRow)) }), TWO)
    expect(chips[1]).toMatchObject({
      health: 'unusable',
      healthReasons: [{ code: 'bound-elsewhere', params: { driver: 'vfio-pci' } }],
    })
  })

  it.each([
    ['a missing tool', { kind: 'missing' } as const, 'tool-missing'],
    ['a tool that hangs', { kind: 'timeout' } as const, 'tool-timeout'],
    ['a flood', { kind: 'too-large' } as const, 'tool-too-large'],
    [
      'no driver',
      output("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", 9),
      'tool-failed',
    ],
    ['no devices', output('', 6, 'No devices were found\n'), 'tool-failed'],
    ['exit 0 without rows', output('\n'), 'tool-failed'],
  ])('calls every card on the bus unusable on %s', async (_, outcome, code) => {
    const chips = await createNvidiaDriver().read(machineOf({ tool: () => outcome }), TWO)
    expect(chips.map((chip) => [chip.health, chip.healthReasons[0]?.code])).toEqual([
      ['unusable', code],
      ['unusable', code],
    ])
  })

  it('stays silent on a machine without such a card, and looks where only the device file shows one', async () => {
    const calls: string[] = []
    const tool = (name: string, args: readonly string[]): ToolOutcome => {
      calls.push(name)
      return smi(output(SHORT))(name, args)
    }
    expect(await createNvidiaDriver().read(machineOf({ tool }), [])).toEqual([])
    expect(calls).toEqual([])
    const chips = await createNvidiaDriver().read(machineOf({ tool, files: { '/dev/nvidia0': '' } }), [])
    expect(chips).toHaveLength(2)
  })

  it('names the slices of a divided chip, and only of that', async () => {
    const cards = `index, uuid, pci.bus_id, name, driver_version, memory.total [MiB], memory.used [MiB], mig.mode.current
0, GPU-aaaa, 00000000:3B:00.0, Made-Up 80GB, 575.57.08, 81920, 10, Enabled
1, GPU-bbbb, 00000000:5B:00.0, Made-Up 80GB, 575.57.08, 81920, 10, Disabled
`
    const listed = `GPU 0: Made-Up 80GB (UUID: GPU-aaaa)
  MIG 3g.40gb     Device  0: (UUID: MIG-11111111-2222)
  MIG 1g.10gb+me  Device  1: (UUID: MIG-33333333-4444)
GPU 1: Made-Up 80GB (UUID: GPU-bbbb)
`
    const tool = (_name: string, args: readonly string[]) => output(args[0] === '-L' ? listed : cards)
    const bus = [func('0000:3b:00.0'), func('0000:5b:00.0')]
    const chips = await createNvidiaDriver().read(machineOf({ tool }), bus)
    expect(chips.map((chip) => chip.slices)).toEqual([
      [
        { uuid: 'MIG-11111111-2222', profile: '3g.40gb', memoryBytes: 40e9, computeUnits: null },
        { uuid: 'MIG-33333333-4444', profile: '1g.10gb+me', memoryBytes: 10e9, computeUnits: null },
      ],
      undefined,
    ])
  })

  it('reads memory and slices from the XML where the CSV withholds them', async () => {
    const withheld = `index, uuid, pci.bus_id, name, driver_version, memory.total [MiB], memory.used [MiB]
0, GPU-aaaa, 00000000:3B:00.0, NVIDIA A100, 575.57.08, [Insufficient Permissions], [N/A]
`
    const xml = `<nvidia_smi_log><gpu id="00000000:3B:00.0"><minor_number>2</minor_number>
      <mig_mode><current_mig>Enabled</current_mig></mig_mode>
      <mig_devices><mig_device><fb_memory_usage><total>40448 MiB</total></fb_memory_usage></mig_device>
      <mig_device><fb_memory_usage><total>40449 MiB</total></fb_memory_usage></mig_device>
      <fb_memory_usage><total>81920 MiB</total><used>3703 MiB</used></fb_memory_usage></gpu></nvidia_smi_log>`
    const tool = smi(output(withheld), output('', 2), output(xml))
    const driver = createNvidiaDriver()
    const chips = await driver.read(machineOf({ tool }), [func('0000:3b:00.0')])
    expect(chips).toMatchObject([
      {
        memoryTotalBytes: 81920 * 2 ** 20,
        memoryUsedBytes: 3703 * 2 ** 20,
        extra: { migMode: 'Enabled', migDevices: 2 },
      },
    ])
    expect(driver.bind(chips)).toMatchObject({
      env: { CUDA_VISIBLE_DEVICES: 'GPU-aaaa' },
      devices: ['/dev/nvidiactl', '/dev/nvidia-uvm', '/dev/nvidia2'],
    })
  })

  it('keeps memory unknown where it is shared with the host', async () => {
    const shared = SHORT.replaceAll('143771', '[N/A]').replaceAll('1024', '[N/A]')
    const chips = await createNvidiaDriver().read(machineOf({ tool: smi(output(shared)) }), TWO)
    expect(chips.map((chip) => chip.memoryTotalBytes)).toEqual([null, null])
  })

  it('survives any damage to the output, and accounts for every card on the bus exactly once', async () => {
    const damage = fc.record({
      cut: fc.nat(SHORT.length),
      at: fc.nat(SHORT.length),
      insert: fc.string({ maxLength: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(damage, damage, async (first, second) => {
        const harm = (text: string, { cut, at, insert }: typeof first): string =>
          text.slice(0, at) + insert + text.slice(at, text.length - cut)
        const tool = smi(output(harm(SHORT, first)), output(harm(LONG, second)), output(harm(SHORT, second)))
        const chips = await createNvidiaDriver().read(machineOf({ tool }), TWO)
        for (const chip of chips) expect(chipFacts.safeParse(chip).success).toBe(true)
        for (const { address } of TWO) expect(chips.filter((chip) => chip.pciAddress === address)).toHaveLength(1)
      }),
      { numRuns: 300 },
    )
  })
})
