import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const CPU_ROOT = '/sys/devices/system/cpu'
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, '': 1 }

/**
 * Bytes of the last-level caches of this machine together, from sysfs, else from `lscpu`; null where neither says.
 * All instances are counted, as threads may move between them.
 */
export function lastLevelCacheBytes(): number | null {
  return fromSysfs() ?? fromLscpu()
}

function fromSysfs(): number | null {
  const instances = new Map<string, { level: number; bytes: number }>()
  for (const cpu of listed(CPU_ROOT).filter((name) => /^cpu\d+$/.test(name))) {
    for (const index of listed(`${CPU_ROOT}/${cpu}/cache`).filter((name) => name.startsWith('index'))) {
      const folder = `${CPU_ROOT}/${cpu}/cache/${index}`
      const level = Number(content(`${folder}/level`))
      const bytes = parseSize(content(`${folder}/size`))
      if (!Number.isInteger(level) || bytes === null || content(`${folder}/type`) === 'Instruction') continue
      instances.set(`${level}:${content(`${folder}/shared_cpu_list`)}`, { level, bytes })
    }
  }
  return sumOfLastLevel([...instances.values()])
}

function fromLscpu(): number | null {
  try {
    const text = execFileSync('lscpu', { encoding: 'utf8', timeout: 5000, env: { ...process.env, LC_ALL: 'C' } })
    const rows = [...text.matchAll(/^L([1-9])d? cache:\s+([\d.]+) ?([KMG])i?B?(?: \((\d+) instances?\))?/gm)]
    return sumOfLastLevel(
      rows.map((row) => ({ level: Number(row[1]), bytes: Number(row[2]) * (UNITS[row[3] ?? ''] ?? 1) })),
    )
  } catch {
    return null
  }
}

function sumOfLastLevel(instances: readonly { level: number; bytes: number }[]): number | null {
  const last = Math.max(...instances.map(({ level }) => level))
  const sum = instances.filter(({ level }) => level === last).reduce((bytes, instance) => bytes + instance.bytes, 0)
  return sum > 0 ? sum : null
}

function parseSize(text: string): number | null {
  const match = /^(\d+)([KMG]?)$/.exec(text)
  return match === null ? null : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1)
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function content(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
