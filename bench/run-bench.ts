import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type { BenchRow } from './bench-row.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('..', import.meta.url))

export interface BenchOptions {
  /** Ends within five minutes on two cores and never decides anything. */
  readonly quick: boolean
  /** Progress for a person; goes to standard error. */
  readonly say: (line: string) => void
}

export interface Measurement {
  readonly rows: readonly BenchRow[]
  /** What was measured beside the machine itself, such as the engine and the model. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Raw values by name, one per round. */
  readonly samples: Readonly<Record<string, readonly number[]>>
}

/**
 * Runs one bench as a program: `--json` prints the record and nothing else on standard output, `--out FILE` keeps it,
 * `--quick` measures less.
 *
 * Ends with 0 when every bar holds, 1 when one fails, 5 when an anchor of a row with a bar is missing.
 */
export async function runBench(bench: string, measure: (options: BenchOptions) => Promise<Measurement>): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, out: { type: 'string' } },
  })
  const quick = values.quick === true
  const before = { startedAt: new Date().toISOString(), load: loadavg() }
  const { rows, facts, samples } = await measure({ quick, say: (line) => console.error(line) })
  const machine = { ...(await machineFacts()), loadBefore: before.load, loadAfter: loadavg(), ...facts }
  const record = { bench, quick, startedAt: before.startedAt, machine, rows, samples }
  const text = JSON.stringify(record, null, 2)
  if (values.out !== undefined) {
    const file = resolve(values.out)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${text}\n`)
  }
  console.log(values.json === true ? text : table(rows))
  process.exitCode = exitCodeOf(rows)
}

export function exitCodeOf(rows: readonly BenchRow[]): 0 | 1 | 5 {
  const verdicts = rows.filter((row) => row.bar !== null).map((row) => row.holds)
  if (verdicts.includes(false)) return 1
  return verdicts.includes(null) ? 5 : 0
}

async function machineFacts() {
  const [cpu] = cpus()
  return {
    cpu: cpu?.model ?? null,
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    node: process.versions.node,
    commit: await commit(),
  }
}

/** With `+` behind it when the working tree differs; null outside a clone. */
async function commit(): Promise<string | null> {
  try {
    const head = await run('git', ['rev-parse', 'HEAD'], { cwd: ROOT })
    const changes = await run('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: ROOT })
    return `${head.stdout.trim()}${changes.stdout === '' ? '' : '+'}`
  } catch {
    return null
  }
}

function table(rows: readonly BenchRow[]): string {
  const verdict = ({ bar, holds }: BenchRow) =>
    bar === null ? 'reported' : `${bar} ${holds === null ? 'anchor missing' : holds ? 'holds' : 'FAILS'}`
  const lines = rows.map((row) => [
    row.name,
    `${number(row.value)} ${row.unit}`,
    number(row.anchorValue),
    row.ratio === null ? '-' : row.ratio.toFixed(3),
    verdict(row),
    row.anchor ?? '',
    row.note ?? '',
  ])
  const cells = [['row', 'value', 'anchor', 'ratio', 'bar', 'against', 'how'], ...lines]
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? []
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function number(value: number | null): string {
  if (value === null) return '-'
  return value >= 1e5 ? value.toExponential(3) : value.toFixed(1)
}
