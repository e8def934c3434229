import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chipFacts } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCpuDriver } from './cpu/driver.ts'
import { parseLscpu } from './cpu/lscpu.ts'
import { parseMeminfo } from './cpu/readings.ts'
import { machineOf, output } from './fixtures/machine.ts'
import { createNvidiaDriver } from './nvidia/driver.ts'
import { parseQuery, parseXml } from './nvidia/parse.ts'
import { numberOrNull, textOrNull } from './parsing.ts'

/** Real output of vendors' tools, kept beside the repository: other people's text, so not part of it. */
const SAMPLES = fileURLToPath(new URL('../../shared/facts/chips/samples', import.meta.url))
const present = existsSync(SAMPLES)
if (!present) console.warn(`SKIPPED: no vendor samples at ${SAMPLES}; only our own fixtures are tested`)

function sample(name: string): string {
  return readFileSync(`${SAMPLES}/${name}`, 'utf8')
}

describe.skipIf(!present)('real output: cpu', () => {
  it('reads lscpu -J and the plain table of a server', () => {
    expect(parseLscpu(sample('cpu/lscpu-J-sandbox.json'))).toMatchObject({
      product: 'AMD EPYC',
      sockets: 1,
      coresPerSocket: 2,
      logicalCpus: 2,
      hypervisor: 'KVM',
      lastLevelCacheBytes: 32 * 2 ** 20,
    })
    expect(parseLscpu(sample('cpu/lscpu-xeon4316.txt'))).toMatchObject({
      product: 'Intel(R) Xeon(R) Silver 4316 CPU @ 2.30GHz',
      sockets: 2,
      coresPerSocket: 20,
      threadsPerCore: 2,
      logicalCpus: 80,
    })
  })

  it('reads memory', () => {
    const memory = parseMeminfo(sample('cpu/proc-meminfo-sandbox.txt'))
    expect(memory).toEqual({ totalBytes: 24684084 * 1024, availableBytes: 20184296 * 1024 })
  })

  it('builds a whole chip from them', async () => {
    const files = { '/proc/meminfo': sample('cpu/proc-meminfo-sandbox.txt'), '/sys/devices/system/cpu/online': '0-1' }
    const tool = () => output(sample('cpu/lscpu-J-sandbox.json'))
    const chips = await createCpuDriver().read(machineOf({ files, tool }), [])
    expect(chips.map((chip) => chipFacts.parse(chip))).toMatchObject([
      { product: 'AMD EPYC', computeUnits: 2, memoryTotalBytes: 24684084 * 1024 },
    ])
    expect(chips[0]?.features).toEqual(expect.arrayContaining(['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16']))
  })
})

describe.skipIf(!present)('real output: nvidia', () => {
  const pci = [{ address: '0000:34:00.0', vendorId: '10de', deviceId: '2230', classCode: '030200', numaNode: null }]

  it('finds the address of a lost card in the complaint, in the middle of a table', () => {
    expect(parseQuery(sample('nvidia/nvidia-smi-lost-gpu.txt'), '').unreachable).toEqual(['0000:34:00.0'])
  })

  it('calls the card unusable when the tool finds no devices', async () => {
    const tool = () => output('', 6, sample('nvidia/nvidia-smi-no-devices.txt'))
    const chips = await createNvidiaDriver().read(machineOf({ tool }), pci)
    expect(chips).toMatchObject([
      { health: 'unusable', healthReasons: [{ params: { message: 'No devices were found' } }] },
    ])
  })

  it('reads the XML of a divided card, which is not well-formed', () => {
    expect(parseXml(sample('nvidia/nvidia-smi-q-x-mig.xml'))).toEqual([
      {
        pciAddress: '0000:00:09.0',
        memoryTotalBytes: 81920 * 2 ** 20,
        memoryUsedBytes: 3703 * 2 ** 20,
        migMode: 'Enabled',
        migDevices: 1,
        minor: null,
      },
    ])
  })

  it('reads real cells, known and unknown', () => {
    const cells = sample('nvidia/nvidia-smi-query-long.txt').split(',')
    expect(cells.filter((cell) => textOrNull(cell) === null)).toEqual([' [N/A]', ' N/A', ' [N/A]'])
    const unified = sample('nvidia/nvidia-smi-query-csv-unified-memory-NA.txt').split(',')
    expect(unified.map(numberOrNull)).toEqual([0, null, null, 38, 4.72])
  })

  it('maps every bracketed word of a lost card to null', async () => {
    const lines = sample('synthetic/nvidia-nvidia-smi-query-lost.txt')
    for (const word of lines.match(/\[[^\]]+\]/g) ?? []) expect(textOrNull(word)).toBeNull()
    expect(lines).toContain('[')
  })

  it('takes any sample, cut anywhere, for any answer', async () => {
    const names = ['lost-gpu.txt', 'no-devices.txt', 'q-x-mig.xml', 'query-csv.txt', 'query-long.txt', 'table-535.txt']
    const texts = names.map((name) => sample(`nvidia/nvidia-smi-${name}`))
    const cut = fc.tuple(fc.constantFrom(...texts), fc.nat(2_000)).map(([text, end]) => text.slice(0, end))
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 3 }), async (printed) => {
        let call = 0
        const tool = () => output(printed[call++ % printed.length] ?? '')
        const chips = await createNvidiaDriver().read(machineOf({ tool }), pci)
        for (const chip of chips) expect(chipFacts.safeParse(chip).success).toBe(true)
        expect(chips.filter((chip) => chip.pciAddress === '0000:34:00.0')).toHaveLength(1)
      }),
      { numRuns: 200 },
    )
  })
})
