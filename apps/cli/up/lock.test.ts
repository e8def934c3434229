import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { releaseLock, runningFactory, takeLock } from './lock.ts'

const CONTENDERS = 4
const ROUNDS = 200
const HERE = { host: '127.0.0.1', port: 7070, gatewayPort: 7071 }

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'medley-lock-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The lock of a process that has certainly ended. */
function staleLock(): string {
  const { pid } = spawnSync(process.execPath, ['--version'])
  return JSON.stringify({ pid, startTicks: '1', ...HERE })
}

describe('the lock of a data directory', () => {
  it('is taken, seen, refused to a second start, and free again after release', () => {
    const file = join(directory, 'alone', 'up.json')
    expect(runningFactory(file)).toBeNull()
    expect(takeLock(file, HERE)).toEqual({ kind: 'taken' })
    expect(runningFactory(file)).toMatchObject({ pid: process.pid, ...HERE })
    expect(takeLock(file, HERE)).toMatchObject({ kind: 'busy', owner: { pid: process.pid } })
    releaseLock(file)
    expect(runningFactory(file)).toBeNull()
    expect(takeLock(file, HERE)).toEqual({ kind: 'taken' })
    releaseLock(file)
  })

  it('leaves no more than two files, however often it changes hands', () => {
    const file = join(directory, 'often', 'up.json')
    for (let turn = 0; turn < 20; turn += 1) {
      expect(takeLock(file, HERE).kind).toBe('taken')
      releaseLock(file)
    }
    expect(readdirSync(join(directory, 'often'))).toEqual(['up.json.19', 'up.json.20'])
  })

  it('steps back when its view was old: a lower number under a living higher one holds nothing', () => {
    const file = join(directory, 'old-view', 'up.json')
    mkdirSync(join(directory, 'old-view'))
    writeFileSync(`${file}.1`, staleLock())
    expect(takeLock(file, HERE).kind).toBe('taken')
    writeFileSync(`${file}.1`, staleLock())
    expect(takeLock(file, HERE)).toMatchObject({ kind: 'busy', owner: { pid: process.pid } })
  })

  it('takes over what a power cut emptied', () => {
    const file = join(directory, 'emptied', 'up.json')
    mkdirSync(join(directory, 'emptied'))
    writeFileSync(`${file}.7`, '')
    expect(takeLock(file, HERE).kind).toBe('taken')
  })
})

describe('a race of starts', () => {
  const script = fileURLToPath(new URL('./lock.fixture.ts', import.meta.url))
  const contenders: { process: ChildProcess; lines: Interface }[] = []
  beforeAll(() => {
    for (let index = 0; index < CONTENDERS; index += 1) {
      const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
      contenders.push({ process: child, lines: createInterface({ input: child.stdout }) })
    }
  })
  afterAll(() => {
    for (const each of contenders) each.process.stdin?.end()
  })

  async function round(file: string): Promise<readonly string[]> {
    const outcomes = contenders.map(
      ({ lines }) => new Promise<string>((resolve) => lines.once('line', (line) => resolve(line))),
    )
    const at = Date.now() + 15
    for (const each of contenders) each.process.stdin?.write(`${file} ${at}\n`)
    return Promise.all(outcomes)
  }

  it.each([
    ['a stale lock', true],
    ['a fresh directory', false],
  ])(
    'gives %s to exactly one of four processes, in each of many rounds',
    async (name, stale) => {
      const won: number[] = []
      for (let count = 0; count < ROUNDS; count += 1) {
        const folder = join(directory, `race-${stale}-${count}`)
        mkdirSync(folder)
        if (stale) writeFileSync(join(folder, 'up.json.1'), staleLock())
        const outcomes = await round(join(folder, 'up.json'))
        won.push(outcomes.filter((outcome) => outcome === 'taken').length)
      }
      expect(won, name).toEqual(Array.from({ length: ROUNDS }, () => 1))
    },
    120_000,
  )
})
