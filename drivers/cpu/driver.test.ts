import { chipFacts } from '@medley/fleet/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { machineOf, output } from '../fixtures/machine.ts'
import { createCpuDriver, type RuntimeFacts } from './driver.ts'
import { shareUnits } from './shares.ts'

const GIB = 2 ** 30
const RUNTIME: RuntimeFacts = {
  model: 'A processor',
  logicalCpus: 4,
  memory: { totalBytes: 8 * GIB, availableBytes: 6 * GIB },
  hostname: 'host-1',
}

/** Two sockets with two cores of two threads each; 16 GiB on either side. */
function twoSockets(): Record<string, string> {
  const files: Record<string, string> = {
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/sys/devices/system/cpu/online': '0-7\n',
    '/proc/meminfo': `MemTotal: ${32 * 2 ** 20} kB\nMemFree: 1 kB\nMemAvailable: ${24 * 2 ** 20} kB\n`,
    '/proc/self/status': 'Name:\tagent\nCpus_allowed_list:\t0-7\n',
    '/proc/stat': statOf(Array.from({ length: 8 }, () => [0, 0])),
  }
  for (let cpu = 0; cpu < 8; cpu += 1) {
    const socket = Math.floor(cpu / 4)
    const root = `/sys/devices/system/cpu/cpu${cpu}`
    const core = cpu - (cpu % 2)
    files[`${root}/topology/physical_package_id`] = `${socket}\n`
    files[`${root}/topology/thread_siblings_list`] = `${core}-${core + 1}\n`
    files[`${root}/cache/index2/level`] = '2\n'
    files[`${root}/cache/index2/size`] = '1024K\n'
    files[`${root}/cache/index2/type`] = 'Unified\n'
    files[`${root}/cache/index2/shared_cpu_list`] = `${core}-${core + 1}\n`
    files[`${root}/cache/index3/level`] = '3\n'
    files[`${root}/cache/index3/size`] = '32768K\n'
    files[`${root}/cache/index3/type`] = 'Unified\n'
    files[`${root}/cache/index3/shared_cpu_list`] = `${socket * 4}-${socket * 4 + 3}\n`
  }
  for (const node of [0, 1]) {
    const total = 16 * 2 ** 20
    files[`/sys/devices/system/node/node${node}/cpulist`] = `${node * 4}-${node * 4 + 3}\n`
    files[`/sys/devices/system/node/node${node}/meminfo`] =
      `Node ${node} MemTotal:       ${total} kB\nNode ${node} MemFree:        ${total / 2} kB\n` +
      `Node ${node} Inactive(file): ${total / 4} kB\n`
    files[`/sys/class/hwmon/hwmon${node}/name`] = 'coretemp\n'
    files[`/sys/class/hwmon/hwmon${node}/temp1_label`] = `Package id ${node}\n`
    files[`/sys/class/hwmon/hwmon${node}/temp1_input`] = `${41_000 + node * 9_000}\n`
  }
  return files
}

/** `/proc/stat` with user and idle ticks per processor. */
function statOf(ticks: readonly (readonly number[])[]): string {
  return ticks.map(([user, idle], cpu) => `cpu${cpu} ${user} 0 0 ${idle} 0 0 0 0 0 0\n`).join('')
}

const LSCPU = JSON.stringify({
  lscpu: [
    { field: 'Architecture:', data: 'x86_64', children: [{ field: 'CPU op-mode(s):', data: '32-bit, 64-bit' }] },
    {
      field: 'Vendor ID:',
      data: 'MadeUp',
      children: [
        {
          field: 'Model name:',
          data: 'Made-Up   Server 9000',
          children: [
            { field: 'Socket(s):', data: '2' },
            {
              field: 'Flags:',
              data: 'fpu avx2 avx512f avx512_vnni avx_vnni avx512_bf16 amx_tile amx_int8 amx_bf16 constructor',
            },
          ],
        },
      ],
    },
    { field: 'Caches (sum of all):', data: null, children: [{ field: 'L3:', data: '64 MiB (2 instances)' }] },
  ],
})

function lscpu(name: string) {
  return name === 'lscpu' ? output(LSCPU) : null
}

const driverOf = () => createCpuDriver(() => RUNTIME)

describe('the processor as a chip', () => {
  it('is one chip per socket with its own cores, memory, caches and temperature', async () => {
    const chips = await driverOf().read(machineOf({ files: twoSockets(), tool: lscpu }), [])
    expect(chips.map((chip) => chipFacts.parse(chip))).toMatchObject([
      {
        index: 0,
        product: 'Made-Up Server 9000',
        computeUnits: 4,
        numaNode: 0,
        memoryTotalBytes: 16 * GIB,
        memoryUsedBytes: 4 * GIB,
        temperatureCelsius: 41,
        features: ['amx_bf16', 'amx_int8', 'amx_tile', 'avx2', 'avx512_bf16', 'avx512_vnni', 'avx512f', 'avx_vnni'],
        extra: {
          sockets: 2,
          cores: 2,
          threadsPerCore: 2,
          logicalCpus: 4,
          lastLevelCacheBytes: 32 * 2 ** 20,
          cpuQuota: null,
        },
      },
      { index: 1, numaNode: 1, temperatureCelsius: 50, pciAddress: null, health: 'healthy' },
    ])
  })

  it('keeps its uuid, never shows the machine id, and tells sockets and machines apart', async () => {
    const other = { ...twoSockets(), '/etc/machine-id': 'fedcba9876543210fedcba9876543210\n' }
    const [first, again, moved] = await Promise.all(
      [twoSockets(), twoSockets(), other].map((files) => driverOf().read(machineOf({ files }), [])),
    )
    expect(first?.map((chip) => chip.uuid)).toEqual(again?.map((chip) => chip.uuid))
    expect(new Set([...(first ?? []), ...(moved ?? [])].map((chip) => chip.uuid)).size).toBe(4)
    expect(JSON.stringify(first)).not.toContain('0123456789abcdef0123456789abcdef')
  })

  it('knows its utilisation from the second reading on', async () => {
    const driver = driverOf()
    const read = (ticks: number[][]) =>
      driver.read(machineOf({ files: { ...twoSockets(), '/proc/stat': statOf(ticks) } }), [])
    const idle = Array.from({ length: 8 }, () => [100, 900])
    expect((await read(idle)).map((chip) => chip.utilizationRatio)).toEqual([null, null])
    const half = idle.map(([user = 0, rest = 0], cpu) => (cpu < 4 ? [user + 50, rest + 50] : [user, rest + 100]))
    expect((await read(half)).map((chip) => chip.utilizationRatio)).toEqual([0.5, 0])
    expect((await read(half)).map((chip) => chip.utilizationRatio)).toEqual([null, null])
  })

  it('counts what a version 2 group and the affinity leave, and keeps the bare figures beside it', async () => {
    const files = {
      ...twoSockets(),
      '/proc/self/status': 'Cpus_allowed_list:\t0-2,4\n',
      '/proc/self/cgroup': '0::/batch/job\n',
      '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
      '/sys/fs/cgroup/batch/cpu.max': '250000 100000\n',
      '/sys/fs/cgroup/batch/job/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/batch/job/memory.max': `${8 * GIB}\n`,
      '/sys/fs/cgroup/batch/job/memory.current': `${4 * GIB}\n`,
      '/sys/fs/cgroup/batch/job/memory.stat': `anon 1\ninactive_file ${2 * GIB}\n`,
    }
    const chips = await driverOf().read(machineOf({ files, tool: lscpu }), [])
    expect(chips).toMatchObject([
      {
        computeUnits: 1,
        memoryTotalBytes: 4 * GIB,
        memoryUsedBytes: GIB,
        extra: {
          cpuQuota: 2.5,
          allowedCpus: '0-2',
          logicalCpus: 4,
          memoryRawBytes: 16 * GIB,
          memoryLimitBytes: 8 * GIB,
        },
      },
      { computeUnits: 1, extra: { allowedCpus: '4' } },
    ])
  })

  it('counts what version 1 groups leave, also through a container mount', async () => {
    const files = {
      ...twoSockets(),
      '/proc/self/cgroup': '4:memory:/box/abc\n1:cpu,cpuacct:/box/abc\n',
      '/proc/self/mountinfo': [
        '32 31 0:29 /box/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct',
        '35 31 0:32 /box/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      ].join('\n'),
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 * GIB}\n`,
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
    }
    const chips = await driverOf().read(machineOf({ files }), [])
    expect(chips.map((chip) => chip.computeUnits)).toEqual([1, 2])
    expect(chips.map((chip) => chip.memoryTotalBytes)).toEqual([GIB, GIB])
  })

  it('takes an unlimited version 1 group for no limit', async () => {
    const files = {
      ...twoSockets(),
      '/proc/self/cgroup': '4:memory:/\n1:cpu:/\n',
      '/proc/self/mountinfo':
        '32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu\n35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n',
      '/cg/cpu/cpu.cfs_quota_us': '-1\n',
      '/cg/cpu/cpu.cfs_period_us': '100000\n',
      '/cg/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    const chips = await driverOf().read(machineOf({ files }), [])
    expect(chips).toMatchObject([
      { computeUnits: 4, memoryTotalBytes: 16 * GIB, extra: { cpuQuota: null, memoryLimitBytes: null } },
      {},
    ])
  })

  it('reads a table where lscpu knows no JSON, and /proc/cpuinfo where there is no lscpu', async () => {
    const table =
      'Architecture:        aarch64\nModel name:          Made-Up N1\nFlags:               asimd asimddp sve i8mm bf16\n'
    const old = (name: string, args: readonly string[]) =>
      name !== 'lscpu' ? null : args.includes('-J') ? output('', 1, 'invalid option') : output(table)
    const [arm] = await driverOf().read(machineOf({ tool: old, architecture: 'arm64' }), [])
    expect(arm).toMatchObject({ product: 'Made-Up N1', features: ['asimd', 'bf16', 'dotprod', 'i8mm', 'neon', 'sve'] })
    const cpuinfo =
      'processor\t: 0\nmodel name\t: Made-Up Desktop\nflags\t\t: avx2 fma\n\nprocessor\t: 1\nmodel name\t: x\n'
    const [desktop] = await driverOf().read(machineOf({ files: { '/proc/cpuinfo': cpuinfo } }), [])
    expect(desktop).toMatchObject({ product: 'Made-Up Desktop', features: ['avx2', 'fma'] })
  })

  it('falls back to what the runtime knows', async () => {
    const [chip, ...more] = await driverOf().read(machineOf({ platform: 'win32' }), [])
    expect(more).toEqual([])
    expect(chip).toMatchObject({
      product: 'A processor',
      computeUnits: 4,
      memoryTotalBytes: 8 * GIB,
      memoryUsedBytes: 2 * GIB,
      numaNode: null,
      temperatureCelsius: null,
      extra: { identifiedBy: 'hostname', lastLevelCacheBytes: null },
    })
  })

  it('never counts more processors than the quota, however the sockets divide it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 128 }), { minLength: 1, maxLength: 8 }),
        fc.option(fc.double({ min: 0.05, max: 600, noNaN: true })),
        (cpus, quota) => {
          const units = shareUnits(cpus, quota)
          const total = units.reduce((sum, unit) => sum + unit, 0)
          const all = cpus.reduce((sum, count) => sum + count, 0)
          expect(total).toBe(quota === null ? all : Math.min(all, Math.max(1, Math.floor(quota))))
          for (const [index, unit] of units.entries()) expect(unit).toBeLessThanOrEqual(cpus[index] ?? 0)
        },
      ),
    )
  })

  it('survives files full of anything', async () => {
    const paths = Object.keys(twoSockets())
    const damage = fc.dictionary(fc.constantFrom(...paths, '/proc/self/cgroup', '/proc/self/mountinfo'), fc.string())
    await fc.assert(
      fc.asyncProperty(damage, fc.string(), async (files, printed) => {
        const machine = machineOf({ files: { ...twoSockets(), ...files }, tool: () => output(printed) })
        const chips = await driverOf().read(machine, [])
        expect(chips.length).toBeGreaterThan(0)
        for (const chip of chips) expect(chipFacts.safeParse(chip).error).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })
})
