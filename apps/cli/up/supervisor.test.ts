import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLogFile } from './log-file.ts'
import { identify, isAlive } from './process-identity.ts'
import { type ChildEvent, type ChildPlan, createSupervisor, endLeftovers, NeverReadyError } from './supervisor.ts'

const FIXTURE = fileURLToPath(new URL('./child.fixture.ts', import.meta.url))

let directory: string
let events: ChildEvent[]
let supervisor: ReturnType<typeof createSupervisor>
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'medley-supervisor-'))
  events = []
  supervisor = createSupervisor({
    childrenFile: join(directory, 'children.json'),
    logDirectory: join(directory, 'logs'),
    onEvent: (event) => events.push(event),
  })
})
afterEach(async () => {
  await supervisor.stopAll()
  rmSync(directory, { recursive: true, force: true })
})

const trace = () => (existsSync(join(directory, 'trace')) ? readFileSync(join(directory, 'trace'), 'utf8') : '')
const starts = () => trace().match(/started \d+/g)?.length ?? 0

function plan(behaviour: string, changes: Partial<ChildPlan> = {}): ChildPlan {
  return {
    name: behaviour,
    command: process.execPath,
    args: [FIXTURE, behaviour],
    env: { ...process.env, TRACE: join(directory, 'trace') },
    cwd: '/',
    ready: 'message',
    readyTimeoutMs: 60_000,
    stopBy: 'SIGTERM',
    stopTimeoutMs: 60_000,
    ...changes,
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20)
}

describe('a supervised process', () => {
  it('is started again when it is killed, and known by its new number', async () => {
    const child = supervisor.start(plan('steady'))
    await child.whenReady()
    const first = child.pid ?? 0
    process.kill(first, 'SIGKILL')
    await eventually(() => starts() === 2 && child.pid !== null)
    expect(child.restarts).toBe(1)
    expect(child.pid).not.toBe(first)
    expect(events).toContainEqual({ child: 'steady', kind: 'exited', detail: 'SIGKILL' })
    const listed: unknown = JSON.parse(readFileSync(join(directory, 'children.json'), 'utf8'))
    expect(listed).toEqual([{ name: 'steady', ...identify(child.pid ?? 0) }])
  })

  it('waits longer before each further start of what was ready once', async () => {
    const child = supervisor.start(plan('steady'))
    await child.whenReady()
    const waits: number[] = []
    for (let count = 1; count <= 3; count += 1) {
      const pid = child.pid ?? 0
      process.kill(pid, 'SIGKILL')
      await eventually(() => events.filter(({ kind }) => kind === 'exited').length === count)
      const ended = performance.now()
      await eventually(() => events.filter(({ kind }) => kind === 'ready').length === count + 1)
      waits.push(performance.now() - ended)
    }
    for (const [index, least] of [200, 400, 800].entries()) expect(waits[index]).toBeGreaterThanOrEqual(least - 25)
  })

  it.each([
    ['message', 'message:{"type":"shutdown"}'],
    ['SIGTERM', 'SIGTERM'],
  ] as const)('is stopped by %s, and not started again', async (stopBy, heard) => {
    const child = supervisor.start(plan('steady', { stopBy }))
    await child.whenReady()
    await supervisor.stopAll()
    expect(trace()).toContain(heard)
    expect(child.pid).toBeNull()
    expect(starts()).toBe(1)
    expect(JSON.parse(readFileSync(join(directory, 'children.json'), 'utf8'))).toEqual([])
  })

  it('is killed when it does not stop in time', async () => {
    const child = supervisor.start(plan('deaf', { stopTimeoutMs: 300 }))
    await child.whenReady()
    const who = identify(child.pid ?? 0)
    await supervisor.stopAll()
    expect(isAlive(who)).toBe(false)
  })

  it('is given up with its last words when it never becomes ready', async () => {
    const child = supervisor.start(plan('broken'))
    const failure = await child.whenReady().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NeverReadyError)
    expect(failure).toMatchObject({ child: 'broken', lastWord: 'Error: no such table: towels' })
    expect(starts()).toBe(5)
  })

  it('is given up when its program does not exist', async () => {
    const child = supervisor.start(plan('absent', { command: join(directory, 'absent') }))
    await expect(child.whenReady()).rejects.toThrow(/absent ended 5 times.*ENOENT/)
  })

  it.each([
    ['cannot be written', (path: string) => mkdirSync(path)],
    ['lies on a full disk', (path: string) => symlinkSync('/dev/full', path)],
  ])('runs on when its log %s', async (_what, spoil) => {
    spoil(join(directory, 'logs', 'talkative.log'))
    const child = supervisor.start(plan('talkative'))
    await child.whenReady()
    expect(starts()).toBe(1)
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'ready'])
  })
})

describe('a log file', () => {
  it('stays below its limit with one older file beside it', async () => {
    const path = join(directory, 'a.log')
    const log = openLogFile(path, 1_000)
    for (let count = 0; count < 50; count += 1) log.write(`line ${count} ${'x'.repeat(100)}\n`)
    await new Promise((resolve) => log.end(() => resolve(null)))
    expect(statSync(path).size).toBeLessThanOrEqual(1_000)
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1_000)
    expect(readFileSync(path, 'utf8')).toContain('line 49 ')
    expect(existsSync(`${path}.2`)).toBe(false)
  })

  it('names the message of an error above its stack, and the sentence of a JSON line', async () => {
    const log = openLogFile(join(directory, 'b.log'))
    const write = (text: string) => new Promise((resolve) => log.write(text, () => resolve(null)))
    expect(log.lastWord()).toBeNull()
    await write(
      'file:///x.ts:1\nTypeError: it broke\n    at x.ts:1:2 {\n  [Symbol(error)]: true\n}\n\nNode.js v24.0.0\n',
    )
    expect(log.lastWord()).toBe('TypeError: it broke')
    log.forget()
    await write('{"level":50,"msg":"cannot migrate","err":{"type":"Error","message":"no table"}}\n')
    expect(log.lastWord()).toBe('cannot migrate: no table')
    log.end()
  })
})

describe('what a killed factory left running', () => {
  it('is ended, and what has gone already is passed over', async () => {
    const left = spawn(process.execPath, [FIXTURE, 'deaf'], {
      env: { ...process.env, TRACE: join(directory, 'trace') },
      stdio: 'ignore',
    })
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    const listed = [left, gone].map(({ pid }, index) => ({ name: `child ${index}`, ...identify(pid ?? 0) }))
    await Promise.all([new Promise((resolve) => gone.once('exit', resolve)), eventually(() => starts() === 1)])
    const file = join(directory, 'leftovers.json')
    writeFileSync(file, JSON.stringify(listed))
    const ended = new Promise<string | null>((resolve) => left.once('exit', (_code, signal) => resolve(signal)))
    expect(await endLeftovers(file, 200)).toBe(1)
    expect(await ended).toBe('SIGKILL')
  })

  it('is nobody else: another process with the number of one that has gone stays', async () => {
    const other = spawn(process.execPath, [FIXTURE, 'steady'], {
      env: { ...process.env, TRACE: join(directory, 'trace') },
      stdio: 'ignore',
    })
    await eventually(() => starts() === 1)
    const file = join(directory, 'leftovers.json')
    writeFileSync(file, JSON.stringify([{ name: 'gateway', pid: other.pid, startTicks: '1' }]))
    expect(await endLeftovers(file, 200)).toBe(0)
    expect(isAlive(identify(other.pid ?? 0))).toBe(true)
    other.kill('SIGKILL')
  })
})
