import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseStat } from './domain/stat.ts'
import {
  countFailure,
  createLocalExecutor,
  DEFAULT_BACKOFF,
  type Launch,
  launchDigest,
  restartDelayMs,
} from './index.ts'

let root = ''
const executor = createLocalExecutor({ watchMs: 25, logCapBytes: 20_000 })

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'medley-x-'))
})
afterEach(async () => {
  await executor.reap(root, () => false, 0)
  await rm(root, { recursive: true, force: true })
})

function script(source: string, env: Launch['env'] = {}): Launch {
  return { command: process.execPath, args: ['-e', source], env }
}

const IDLE = 'setInterval(() => {}, 1000)'

async function isGone(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return ['', 'Z', 'X'].includes(parseStat(text)?.state ?? '')
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 800; round += 1) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`never happened: ${what}`)
}

function logOf(name: string): Promise<string> {
  return readFile(path.join(root, name, 'output.log'), 'utf8').catch(() => '')
}

describe.skipIf(process.platform !== 'linux')('the local executor', { timeout: 60_000 }, () => {
  it('runs a program in its own directory and group, with its output in a file', async () => {
    const source = `console.log(process.cwd(), process.env.GIVEN); console.error('the end'); process.exitCode = 4`
    const child = await executor.start(path.join(root, 'a'), script(source, { GIVEN: '$(id)' }))
    expect(await child.exited).toEqual({ code: 4, signal: null })
    expect(await logOf('a')).toBe(`${path.join(root, 'a')} $(id)\nthe end\n`)
    expect(await child.lastLogLine()).toBe('the end')
  })

  it('rejects when there is no such program', async () => {
    const launch = { command: path.join(root, 'no-such'), args: [], env: {} }
    await expect(executor.start(path.join(root, 'a'), launch)).rejects.toThrow(/ENOENT/)
    expect(await executor.adopt(path.join(root, 'a'))).toBeNull()
  })

  it('adopts what still lives, sees its end, and adopts nothing after that', async () => {
    const launch = script(IDLE)
    const started = await executor.start(path.join(root, 'a'), launch)
    const adopted = await createLocalExecutor({ watchMs: 25 }).adopt(path.join(root, 'a'))
    expect(adopted).toMatchObject({ pid: started.pid, digest: launchDigest(launch), adopted: true })
    process.kill(started.pid, 'SIGKILL')
    expect(await adopted?.exited).toEqual({ code: null, signal: null })
    expect(await executor.adopt(path.join(root, 'a'))).toBeNull()
  })

  it('takes no stranger for its child when a pid was used again, and does not end it', async () => {
    const stranger = await executor.start(path.join(root, 'stranger'), script(IDLE))
    const record = { pid: stranger.pid, startTime: '1', bootId: await readBoot(), digest: 'x' }
    await mkdir(path.join(root, 'a'))
    await writeFile(path.join(root, 'a', 'process.json'), JSON.stringify(record))
    expect(await executor.adopt(path.join(root, 'a'))).toBeNull()
    await executor.reap(root, (directory) => directory.endsWith('stranger'), 0)
    expect(await isGone(stranger.pid)).toBe(false)
  })

  it('ignores the record of an earlier boot and one that is torn', async () => {
    const child = await executor.start(path.join(root, 'a'), script(IDLE))
    const file = path.join(root, 'a', 'process.json')
    const record = JSON.parse(await readFile(file, 'utf8'))
    await mkdir(path.join(root, 'b'))
    await writeFile(path.join(root, 'b', 'process.json'), JSON.stringify({ ...record, bootId: 'another' }))
    expect(await executor.adopt(path.join(root, 'b'))).toBeNull()
    await writeFile(path.join(root, 'b', 'process.json'), '{"pid": 1')
    expect(await executor.adopt(path.join(root, 'b'))).toBeNull()
    expect(await isGone(child.pid)).toBe(false)
  })

  it('finds a child whose record was never written', async () => {
    const child = await executor.start(path.join(root, 'a'), script(IDLE))
    await rm(path.join(root, 'a', 'process.json'))
    expect(await executor.adopt(path.join(root, 'a'))).toMatchObject({ pid: child.pid, digest: child.digest })
    await rm(path.join(root, 'a'), { recursive: true })
    expect(await executor.reap(root, () => false, 0)).toEqual([path.join(root, 'a')])
    expect(await isGone(child.pid)).toBe(true)
  })

  it('ends the earlier process of a directory before it starts another there', async () => {
    const first = await executor.start(path.join(root, 'a'), script(IDLE))
    const second = await executor.start(path.join(root, 'a'), script(IDLE, { TRY: '2' }))
    expect(await isGone(first.pid)).toBe(true)
    expect(await executor.adopt(path.join(root, 'a'))).toMatchObject({ pid: second.pid })
  })

  it('stops gracefully where the program can, and the whole group where it will not', async () => {
    const polite = `process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); console.log('up'); ${IDLE}`
    const kind = await executor.start(path.join(root, 'kind'), script(polite))
    await until('up', async () => (await logOf('kind')).includes('up'))
    await kind.stop(20_000)
    expect(await logOf('kind')).toBe('up\nbye\n')
    const deaf = `process.on('SIGTERM', () => {});
      const child = require('child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); ${IDLE}"]);
      child.once('spawn', () => console.log('child ' + child.pid)); ${IDLE}`
    const stubborn = await executor.start(path.join(root, 'deaf'), script(deaf))
    await until('up', async () => (await logOf('deaf')).includes('child'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await stubborn.stop(300)
    expect(await stubborn.exited).toEqual({ code: null, signal: 'SIGKILL' })
    const grandchild = Number((await logOf('deaf')).replace('child ', ''))
    await until('grandchild gone', () => isGone(grandchild))
    expect(await executor.adopt(path.join(root, 'deaf'))).toBeNull()
  })

  it('reaps what nobody wants and leaves the rest', async () => {
    const wanted = await executor.start(path.join(root, 'wanted'), script(IDLE))
    const orphan = await executor.start(path.join(root, 'orphan'), script(IDLE))
    await mkdir(path.join(root, 'empty'))
    const reaped = await executor.reap(root, (directory) => path.basename(directory) === 'wanted', 5_000)
    expect(reaped).toEqual([path.join(root, 'orphan')])
    expect([await isGone(wanted.pid), await isGone(orphan.pid)]).toEqual([false, true])
    await expect(stat(path.join(root, 'empty'))).rejects.toThrow(/ENOENT/)
  })

  it('caps the log of a program that never stops talking', async () => {
    const child = await executor.start(
      path.join(root, 'a'),
      script(`setInterval(() => console.log('x'.repeat(999)), 5)`),
    )
    const rotated = path.join(root, 'a', 'output.log.1')
    await until('rotated', () =>
      stat(rotated).then(
        (found) => found.size > 20_000,
        () => false,
      ),
    )
    await until('written anew', async () => (await stat(path.join(root, 'a', 'output.log'))).size < 20_000)
    expect(await isGone(child.pid)).toBe(false)
  })
})

function readBoot(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then((text) => text.trim())
}

describe('restarting', () => {
  it('waits 0.5 s, then twice as long each time, at most 30 s', () => {
    const delays = [0, 1, 2, 3, 4, 7, 8, 5_000].map((failures) => restartDelayMs(DEFAULT_BACKOFF, failures))
    expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000])
  })

  it('forgives failures after a minute of health only', () => {
    expect(countFailure(DEFAULT_BACKOFF, 5, 59_999)).toBe(6)
    expect(countFailure(DEFAULT_BACKOFF, 5, 60_000)).toBe(1)
  })

  it('never waits longer than the ceiling or less than before', () => {
    fc.assert(
      fc.property(fc.nat(), (failures) => {
        const [now, next] = [restartDelayMs(DEFAULT_BACKOFF, failures), restartDelayMs(DEFAULT_BACKOFF, failures + 1)]
        expect(next).toBeGreaterThanOrEqual(now)
        expect(next).toBeLessThanOrEqual(DEFAULT_BACKOFF.maxMs)
      }),
    )
  })
})

describe('/proc/PID/stat', () => {
  it('is read past any name a process may give itself', () => {
    const tail = 'S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0'
    for (const name of ['node', 'a b', ') Z 9 9', '((']) {
      expect(parseStat(`42 (${name}) ${tail}`)).toEqual({ pid: 42, state: 'S', groupId: 42, startTime: '777' })
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseStat(text)
        expect(parsed === null || Number.isInteger(parsed.pid)).toBe(true)
      }),
    )
  })
})
