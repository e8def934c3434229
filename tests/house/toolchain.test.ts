import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { explainInstallFailure } from '../../scripts/toolchain/install.mjs'
import { closureOf } from '../../scripts/toolchain/lockfile.mjs'

const run = promisify(execFile)
const homes: string[] = []

/** A folder that looks like a clone to the lock: it lies beside the toolchain's own files. */
function cloneOfTheLock(): string {
  const home = mkdtempSync(join(tmpdir(), 'medley-lock-'))
  homes.push(home)
  mkdirSync(join(home, 'scripts', 'toolchain'), { recursive: true })
  for (const name of ['lock.mjs', 'paths.mjs']) {
    const source = fileURLToPath(new URL(`../../scripts/toolchain/${name}`, import.meta.url))
    writeFileSync(join(home, 'scripts', 'toolchain', name), readFileSync(source))
  }
  return home
}

/** A process that appends `in` and `out` to a file while it holds the lock. */
function holder(home: string): Promise<unknown> {
  const lock = pathToFileURL(join(home, 'scripts', 'toolchain', 'lock.mjs')).href
  const program = `
    import { appendFileSync } from 'node:fs'
    import { withLock } from ${JSON.stringify(lock)}
    const write = (word) => appendFileSync(${JSON.stringify(join(home, 'seen'))}, word + '\\n')
    await withLock(() => {}, async () => {
      write('in')
      await new Promise((resolve) => setTimeout(resolve, 100))
      write('out')
    })`
  return run(process.execPath, ['--input-type=module', '--eval', program])
}

afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true })
})

describe('the lock of the first steps', () => {
  it('lets one process in at a time', async () => {
    const home = cloneOfTheLock()
    await Promise.all(Array.from({ length: 4 }, () => holder(home)))
    expect(readFileSync(join(home, 'seen'), 'utf8')).toBe('in\nout\n'.repeat(4))
  })

  it('is taken over from a process that is gone', async () => {
    const home = cloneOfTheLock()
    const { stdout } = await run(process.execPath, ['--print', 'process.pid'])
    mkdirSync(join(home, '.cache'))
    writeFileSync(join(home, '.cache', 'start.lock'), stdout.trim())
    await Promise.all([holder(home), holder(home)])
    expect(readFileSync(join(home, 'seen'), 'utf8')).toBe('in\nout\n'.repeat(2))
  })
})

describe('a failed installation', () => {
  it.each([
    ['npm error code ENOSPC\nnpm error nospc There appears to be insufficient space', /disk|磁盘/],
    ['npm error code EACCES\nnpm error syscall mkdir', /write|写入/],
    ['npm error code ENOTFOUND\nnpm error network request failed', /registry|仓库/],
    ['npm error code EINTEGRITY sha512-x', /lockfile|锁定文件/],
    ['npm error code EUSAGE\nnpm error `npm ci` can only install packages when', /disagree|不一致/],
    ['spawn npm ENOENT npm: not found', /npm/],
  ])('says what to do: %s', (log, what) => {
    const failure = explainInstallFailure(log)
    expect(failure.message.split('\n')[0]).toMatch(what)
    expect(failure.remedy).toMatch(/npm|GB/)
  })

  it('shows what it does not know', () => {
    expect(explainInstallFailure('npm error something new').message).toContain('something new')
  })
})

describe('what running needs', () => {
  it('follows dependencies as Node does and leaves out optional peers', () => {
    const packages = {
      'apps/a': { dependencies: { b: '1', c: '1' } },
      'node_modules/b': { dependencies: { c: '2' }, peerDependencies: { d: '1' } },
      'node_modules/b/node_modules/c': {},
      'node_modules/c': { peerDependencies: { e: '1' }, peerDependenciesMeta: { e: { optional: true } } },
      'node_modules/d': { devDependencies: { e: '1' } },
      'node_modules/e': {},
    }
    expect([...closureOf(packages, ['apps/a'])].sort()).toEqual([
      'apps/a',
      'node_modules/b',
      'node_modules/b/node_modules/c',
      'node_modules/c',
      'node_modules/d',
    ])
  })
})
