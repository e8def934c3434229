import { type ChildProcess, spawn } from 'node:child_process'
import type { ToolOutcome } from '@medley/fleet'

const OUTPUT_CAP_BYTES = 2 ** 20
/** As much as a parser keeps of what it cannot read. */
const GARBAGE_KEPT_BYTES = 2 ** 16
/** Backspace, tab, line feed, vertical tab, form feed, carriage return, escape. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([8, 9, 10, 11, 12, 13, 27])
/** How long a killed process may take to die before it counts as stuck in the kernel. */
const DEATH_MS = 2_000

/** Only what vendor tools need: nothing of the agent's own settings reaches them. */
const PASSED_ON = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'SystemRoot', 'windir', 'TEMP', 'TMPDIR']

export interface ToolRun {
  readonly outcome: ToolOutcome
  /** Resolves when a process that outlived SIGKILL is gone at last. */
  readonly survivor: Promise<void> | null
}

/** Runs one program to its end: no shell, standard input closed, output capped, its whole group killed in time. */
export async function runTool(task: {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly timeoutMs: number
}): Promise<ToolRun> {
  const env = Object.fromEntries(PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
  const child = spawn(task.program, [...task.args], {
    cwd: task.cwd,
    env: { ...env, LC_ALL: 'C', LANG: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group, so that what it starts dies with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const exit = new Promise<number | null | 'failed'>((resolve) => {
    child.once('error', () => resolve('failed'))
    child.once('exit', (code) => resolve(code))
  })
  const collected = collect(child)
  const end = await Promise.race([exit, collected.overflow, after(task.timeoutMs, 'timeout' as const)])
  if (end === 'failed') return { outcome: { kind: 'missing' }, survivor: null }
  if (end === 'timeout' || end === 'too-large') {
    killGroup(child)
    const died = await Promise.race([exit.then(() => true), after(DEATH_MS, false)])
    collected.close()
    return { outcome: { kind: end }, survivor: died ? null : exit.then(() => undefined) }
  }
  // What the program left running may hold the pipes open: wait for the rest of the output, but not for them.
  const complete = await Promise.race([collected.ended, collected.overflow, after(500, 'open' as const)])
  killGroup(child)
  collected.close()
  if (complete === 'too-large') return { outcome: { kind: 'too-large' }, survivor: null }
  return { outcome: { kind: 'output', ...collected.text(), exitCode: end }, survivor: null }
}

function collect(child: ChildProcess) {
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const total = { bytes: 0 }
  const overflow = Promise.withResolvers<'too-large'>()
  const close = (): void => {
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
  const ends = (['stdout', 'stderr'] as const).map(
    (name) =>
      new Promise<void>((resolve) => {
        const stream = child[name]
        stream?.on('data', (chunk: Buffer) => {
          total.bytes += chunk.length
          if (total.bytes <= OUTPUT_CAP_BYTES) return void chunks[name].push(chunk)
          // At once: what is still read until it is killed would fill the memory at the speed of a pipe.
          close()
          chunks.stdout.length = 0
          chunks.stderr.length = 0
          overflow.resolve('too-large')
        })
        stream?.once('close', () => resolve())
        stream?.once('error', () => resolve())
      }),
  )
  return {
    overflow: overflow.promise,
    ended: Promise.all(ends).then(() => 'ended' as const),
    close,
    text: () => ({ stdout: textOf(chunks.stdout), stderr: textOf(chunks.stderr) }),
  }
}

/**
 * What is no text is cut short: enough for a bug report, while a megabyte of it would cost a parser fifty in memory.
 * No tool prints control characters other than white space and the escapes of colours.
 */
function textOf(chunks: readonly Buffer[]): string {
  const bytes = Buffer.concat(chunks)
  const sample = bytes.subarray(0, GARBAGE_KEPT_BYTES)
  const controls = sample.reduce((count, byte) => (byte < 32 && !TEXT_CONTROLS.has(byte) ? count + 1 : count), 0)
  return (controls * 100 > sample.length ? sample : bytes).toString('utf8')
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone already.
  }
}

function after<Value>(ms: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(value), ms).unref()
  })
}
