import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { DriverHost, ToolOutcome } from '@medley/fleet'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDriverHost } from './host.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'medley-tools-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function tool(name: string, script: string): Promise<string> {
  const file = path.join(directory, name)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return file
}

function run(host: DriverHost, file: string, timeoutMs = 20_000, args: readonly string[] = []): Promise<ToolOutcome> {
  return host.run({ candidates: [file], args, timeoutMs })
}

function hostOfTest(now?: () => number): DriverHost {
  return createDriverHost({
    scratchDirectory: path.join(directory, 'scratch'),
    searchPath: directory,
    ...(now ? { now } : {}),
  })
}

async function untilGone(pid: number): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone) Z')
    if (/\) [ZX]/.test(stat)) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`process ${pid} is still there`)
}

describe.skipIf(process.platform === 'win32')('running a vendor tool', { timeout: 60_000 }, () => {
  it('gives it a C locale, a closed input, an empty directory of its own, and no shell', async () => {
    const file = await tool('ask', 'cat; pwd; ls -A; echo "$LC_ALL $1"; echo late >&2; exit 3')
    const outcome = await run(hostOfTest(), file, 20_000, ['$(whoami)'])
    if (outcome.kind !== 'output') throw new Error(outcome.kind)
    const [cwd, rest] = outcome.stdout.trim().split('\n')
    expect(cwd).toContain(path.join(directory, 'scratch'))
    expect(rest).toBe('C $(whoami)')
    expect(outcome).toMatchObject({ stderr: 'late\n', exitCode: 3 })
    expect(await readdir(path.join(directory, 'scratch'))).toEqual([])
  })

  it('takes the first candidate that exists, looks bare names up, and says when there is none', async () => {
    await tool('bare', 'echo found')
    const host = hostOfTest()
    const candidates = [path.join(directory, 'no-such'), 'bare']
    expect(await host.run({ candidates, args: [], timeoutMs: 20_000 })).toMatchObject({
      kind: 'output',
      stdout: 'found\n',
    })
    expect(await host.run({ candidates: ['neither'], args: [], timeoutMs: 20_000 })).toEqual({ kind: 'missing' })
  })

  it('kills the whole group of a tool that takes too long', async () => {
    const marks = path.join(directory, 'pids')
    const file = await tool('slow', `sleep 600 & echo $! > ${marks}; trap '' TERM; sleep 600`)
    expect(await run(hostOfTest(), file, 700)).toEqual({ kind: 'timeout' })
    const grandchild = Number(await readFile(marks, 'utf8'))
    await expect(untilGone(grandchild)).resolves.toBeUndefined()
  })

  it('does not wait for what a finished tool left running', async () => {
    const file = await tool('leaver', 'sleep 600 & echo done')
    expect(await run(hostOfTest(), file)).toMatchObject({ kind: 'output', stdout: 'done\n', exitCode: 0 })
  })

  it('stops a tool that prints without end', async () => {
    const file = await tool('flood', 'while :; do echo 0123456789012345678901234567890123456789; done')
    expect(await run(hostOfTest(), file)).toEqual({ kind: 'too-large' })
  })

  it('cuts short what is no text', async () => {
    const binary = await run(hostOfTest(), await tool('binary', 'head -c 500000 /dev/zero'))
    expect(binary.kind === 'output' && binary.stdout.length).toBe(65_536)
    const text = await run(
      hostOfTest(),
      await tool('text', 'head -c 500000 /dev/zero | tr "\\0" "x"; printf "\\033[0m"'),
    )
    expect(text.kind === 'output' && text.stdout.length).toBe(500_004)
  })

  it('never runs the same tool twice at once, and others meanwhile', async () => {
    const log = path.join(directory, 'log')
    const file = await tool('one', `echo in >> ${log}; sleep 0.2; echo out >> ${log}`)
    const host = hostOfTest()
    await Promise.all([run(host, file, 20_000, ['a']), run(host, file, 20_000, ['b']), run(host, file, 20_000, ['c'])])
    expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(['in', 'out', 'in', 'out', 'in', 'out'])
  })

  it('lets a command that failed rest, longer each time, and forgets that when it works again', async () => {
    const count = path.join(directory, 'count')
    const ok = path.join(directory, 'ok')
    const file = await tool('flaky', `echo x >> ${count}; test -e ${ok}`)
    let now = 0
    const host = hostOfTest(() => now)
    const calls = async (): Promise<number> => (await readFile(count, 'utf8')).length / 2
    await run(host, file)
    await run(host, file)
    expect(await calls()).toBe(1)
    now += 10_001
    await run(host, file)
    now += 10_001
    await run(host, file)
    expect(await calls()).toBe(2)
    now += 10_001
    await writeFile(ok, '')
    await run(host, file)
    await run(host, file)
    expect(await calls()).toBe(4)
  })

  it('lets it rest as long whatever the machine’s clock is set to', async () => {
    const count = path.join(directory, 'count')
    const file = await tool('broken', `echo x >> ${count}; exit 1`)
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const host = hostOfTest()
      await run(host, file)
      vi.setSystemTime(Date.now() + 86_400_000)
      await run(host, file)
    } finally {
      vi.useRealTimers()
    }
    expect(await readFile(count, 'utf8')).toBe('x\n')
  })

  it('turns a file that is no program into an outcome, not an exception', async () => {
    const file = path.join(directory, 'garbage')
    await writeFile(file, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3]))
    await chmod(file, 0o755)
    const outcome = await run(hostOfTest(), file)
    expect(['missing', 'output']).toContain(outcome.kind)
  })
})
