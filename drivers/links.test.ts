import { afterEach, describe, expect, it, vi } from 'vitest'
import { machineOf, output } from './fixtures/machine.ts'
import { createDrivers } from './index.ts'
import { createLinkReading, linksOf } from './links.ts'
import { chipOf } from './outputs.ts'

const chips = [0, 1, 2].map((index) => chipOf({ vendor: 'test', product: 'Chip', uuid: `U${index}`, index }))

afterEach(() => {
  vi.useRealTimers()
})

describe('links between chips', () => {
  it('go by the index in the names, and leave out network cards, oneself and unknown words', () => {
    const links = linksOf(
      {
        GPU0: { GPU0: 'X', GPU1: 'NV12', GPU2: 'SYS', NIC0: 'PIX' },
        GPU1: { GPU0: 'NV12', GPU1: 'X', GPU2: '???', NIC0: 'SYS' },
        NIC0: { GPU0: 'PIX', GPU1: 'SYS', GPU2: 'SYS', NIC0: 'X' },
      },
      chips,
    )
    expect([...links]).toEqual([
      [
        'U0',
        [
          { to: 'U1', kind: 'link', label: 'NV12', bytesPerSecond: null },
          { to: 'U2', kind: 'system', label: 'SYS', bytesPerSecond: null },
        ],
      ],
      ['U1', [{ to: 'U0', kind: 'link', label: 'NV12', bytesPerSecond: null }]],
    ])
  })

  it('tell the ways of two dies on one card from links, switches and sockets', () => {
    const words = {
      SIO: 'card',
      HCCS: 'link',
      MX: 'link',
      PIX: 'switch',
      PXB: 'switches',
      PHB: 'bridge',
      NODE: 'socket',
    }
    for (const [word, kind] of Object.entries(words)) {
      expect(linksOf({ NPU0: { NPU1: word } }, chips).get('U0'), word).toMatchObject([{ to: 'U1', kind }])
    }
  })

  it('stay while the tool does not answer, which is asked again in minutes', async () => {
    let asked = 0
    let nowMs = 0
    let works = false
    const host = machineOf({
      tool: () => {
        asked += 1
        return works ? output('\tGPU0\tGPU1\nGPU0\t X \tNV4\nGPU1\tNV4\t X \n') : { kind: 'timeout' }
      },
    })
    const driver = createDrivers().find((each) => each.topology && each.pciVendorIds.includes('10de'))
    if (!driver) throw new Error('no driver')
    const read = createLinkReading(driver, () => nowMs)
    const two = [0, 1].map((index) => ({ ...chipOf({ vendor: 't', product: 'C', uuid: `U${index}`, index }) }))
    const ways = async () => {
      const found = await read(
        host,
        two.map((chip) => ({ ...chip, health: 'healthy' as const })),
      )
      return found.map(({ links }) => links?.map(({ label }) => label))
    }
    expect(await ways()).toEqual([undefined, undefined])
    works = true
    nowMs += 60_000
    expect([await ways(), asked]).toEqual([[undefined, undefined], 1])
    nowMs += 300_000
    expect([await ways(), asked]).toEqual([[['NV4'], ['NV4']], 2])
    works = false
    nowMs += 3_600_001
    expect([await ways(), asked]).toEqual([[['NV4'], ['NV4']], 3])
  })

  it('stay with their chips when the indices change and the tool does not answer', async () => {
    let works = true
    const cells = '\tGPU0\tGPU1\tGPU2\nGPU0\t X \tNV4\tSYS\nGPU1\tNV4\t X \tSYS\nGPU2\tSYS\tSYS\t X \n'
    const host = machineOf({ tool: () => (works ? output(cells) : { kind: 'timeout' }) })
    const driver = createDrivers().find((each) => each.topology && each.pciVendorIds.includes('10de'))
    if (!driver) throw new Error('no driver')
    const read = createLinkReading(driver, () => 0)
    const healthy = (index: number, uuid: string) => ({
      ...chipOf({ vendor: 't', product: 'C', uuid, index }),
      health: 'healthy' as const,
    })
    const kindsOf = async (...uuids: string[]) => {
      const found = await read(
        host,
        uuids.map((uuid, index) => healthy(index, uuid)),
      )
      return Object.fromEntries(found.map(({ uuid, links }) => [uuid, links?.map(({ to, kind }) => `${kind} ${to}`)]))
    }
    await kindsOf('A', 'B', 'C')
    works = false
    // B is gone, and C has its index.
    expect(await kindsOf('A', 'C')).toEqual({ A: ['system C'], C: ['system A'] })
    expect(await kindsOf('C', 'A')).toEqual({ A: ['system C'], C: ['system A'] })
  })

  it('are asked once an hour and not at every round, also while the clock is set', async () => {
    let asked = 0
    const matrix = '\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\nGPU0\t X \tNV4\t0-3\t0\nGPU1\tNV4\t X \t0-3\t0\n'
    const table = [
      'index, uuid, pci.bus_id, name, driver_version, memory.total [MiB], memory.used [MiB]',
      '0, GPU-00000000-0000-0000-0000-000000000001, 00000000:17:00.0, Made-Up One, 550.01, 1024, 10',
      '1, GPU-00000000-0000-0000-0000-000000000002, 00000000:18:00.0, Made-Up One, 550.01, 1024, 10',
    ].join('\n')
    const host = machineOf({
      tool: (_name, args) => {
        if (args[0] === 'topo') {
          asked += 1
          return output(matrix)
        }
        return output(args[0]?.includes('driver_version') ? table : '')
      },
    })
    const driver = createDrivers().find((each) => each.topology && each.pciVendorIds.includes('10de'))
    const bus = ['0000:17:00.0', '0000:18:00.0'].map((address) => ({
      address,
      vendorId: '10de',
      deviceId: '2335',
      classCode: '030200',
      numaNode: 0,
    }))
    const rounds = [await driver?.read(host, bus)]
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
    rounds.push(await driver?.read(host, bus))
    expect(asked).toBe(1)
    for (const round of rounds) {
      expect(round?.map((chip) => chip.links)).toEqual([
        [{ to: 'GPU-00000000-0000-0000-0000-000000000002', kind: 'link', label: 'NV4', bytesPerSecond: null }],
        [{ to: 'GPU-00000000-0000-0000-0000-000000000001', kind: 'link', label: 'NV4', bytesPerSecond: null }],
      ])
    }
  })
})
