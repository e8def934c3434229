import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'medley-fresh-'))
const clone = join(home, 'clone')
const stamp = join(clone, 'node_modules', '.medley-install')
// The reader's own Node: without the one that npm scripts put first.
const path = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => !folder.startsWith(ROOT))
  .join(':')

function start(): ChildProcess & { output: () => string } {
  const child = spawn('npm', ['start', '--silent', '--', '--help'], {
    cwd: clone,
    env: { PATH: path, HOME: process.env.HOME, CI: 'true', LANG: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => (output += piece))
  return Object.assign(child, { output: () => output })
}

describe('a fresh clone', { timeout: 900_000 }, () => {
  beforeAll(async () => {
    await promisify(execFile)('git', ['clone', '--quiet', ROOT, clone])
  })
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  it('is installed again after an installation was killed half-way', async () => {
    const killed = start()
    while (!existsSync(join(clone, 'node_modules'))) await sleep(50)
    await sleep(2000)
    process.kill(-(killed.pid ?? 0), 'SIGKILL')
    await once(killed, 'close')
    expect(existsSync(stamp)).toBe(false)
  })

  it('is installed once by two starts at the same time, and both go on', async () => {
    const starts = [start(), start()]
    const codes = await Promise.all(starts.map((child) => once(child, 'close')))
    expect(codes.map(([code]) => code)).toEqual([0, 0])
    const installs = starts.filter((child) => /✔ Installing/.test(child.output()))
    expect(installs).toHaveLength(1)
    for (const child of starts) expect(child.output()).toContain('--port')
    expect(existsSync(stamp)).toBe(true)
  })

  it('installs nothing the next time, and leaves the clone as git knows it', async () => {
    const again = start()
    await once(again, 'close')
    expect(again.output()).not.toContain('Installing')
    const { stdout } = await promisify(execFile)('git', ['status', '--porcelain'], { cwd: clone })
    expect(stdout).toBe('')
  })
})
