import { type ChildProcess, spawn } from 'node:child_process'
import type { ToolOutcome } from '@medley/fleet'

const OUTPUT_CAP_BYTES = 2 ** 20
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
  const ends = (['stdout', 'stderr'] as const).map(
    (name) =>
      new Promise<void>((resolve) => {
        const stream = child[name]
        stream?.on('data', (chunk: Buffer) => {
          total.bytes += chunk.length
          if (total.bytes > OUTPUT_CAP_BYTES) overflow.resolve('too-large')
          else chunks[name].push(chunk)
        })
        stream?.once('close', () => resolve())
        stream?.once('error', () => resolve())
      }),
  )
  return {
    overflow: overflow.promise,
    ended: Promise.all(ends).then(() => 'ended' as const),
    close: () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    text: () => ({
      stdout: Buffer.concat(chunks.stdout).toString('utf8'),
      stderr: Buffer.concat(chunks.stderr).toString('utf8'),
    }),
  }
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
