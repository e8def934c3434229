import { type ChildProcess, fork } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { joinServer } from '@medley/agent'
import { z } from 'zod'
import type { RunningFactory } from '../../tests/factory.ts'
import { operatorToken } from './processes.ts'
import { quantile } from './statistics.ts'

const PROGRAM = fileURLToPath(new URL('hostile-agent.ts', import.meta.url))
const createdToken = z.object({ token: z.string() })

/** What the makers' tools do here: sleep for ever, print garbage, die, write a gigabyte, whatever they are asked. */
const TOOLS: Readonly<Record<string, string>> = {
  'nvidia-smi': 'exec sleep 100000',
  'npu-smi': 'exec head -c 900000 /dev/urandom',
  cnmon: 'kill -9 $$',
  'mx-smi': 'exec head -c 1000000000 /dev/zero',
  'hy-smi': 'yes "card 1, 50 C, | + - ||" | head -c 1000000000',
  'mthreads-gmi': 'sleep 100000 & exec head -c 1000000000 /dev/zero >&2',
  'xpu-smi': 'printf "{\\"devices\\": ["; yes "[[[[" | head -c 1000000',
  'rocm-smi': 'exit 137',
}

export interface HostileMemory {
  readonly calmBytes: readonly number[]
  readonly hostileBytes: readonly number[]
  /** Highest under hostile tools minus the median of the same agent without any. */
  readonly growthBytes: number
}

/** Memory of a real, joined agent: once on a machine without vendor tools, once among broken ones. */
export async function hostileMemory(factory: RunningFactory, seconds: number): Promise<HostileMemory> {
  // Short: a socket's path has at most 107 bytes.
  const directory = await mkdtemp(join(tmpdir(), 'mh-'))
  try {
    const tools = join(directory, 'tools')
    await mkdir(tools)
    for (const [name, script] of Object.entries(TOOLS)) {
      await writeFile(join(tools, name), `#!/bin/sh\n${script}\n`)
      await chmod(join(tools, name), 0o755)
    }
    const data = join(directory, 'data')
    await joinServer({ serverUrl: factory.consoleUrl, token: await token(factory), dataDirectory: data })
    const watch = (hostile: boolean) =>
      watchAgent({ data, run: join(directory, hostile ? 'h' : 'c'), tools, hostile }, seconds)
    const calmBytes = await watch(false)
    const hostileBytes = await watch(true)
    const growthBytes = Math.max(...hostileBytes) - quantile(calmBytes, 0.5)
    return { calmBytes, hostileBytes, growthBytes }
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function token(factory: RunningFactory): Promise<string> {
  const answer = await fetch(`${factory.consoleUrl}/api/v1/join-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken(factory.data)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ note: 'bench' }),
  })
  if (!answer.ok) throw new Error(`a join token was refused: ${answer.status}`)
  return createdToken.parse(await answer.json()).token
}

async function watchAgent(task: Readonly<Record<string, unknown>>, seconds: number): Promise<readonly number[]> {
  const path = [process.env.PATH].join(':')
  const child = fork(PROGRAM, [JSON.stringify(task)], { env: { ...process.env, PATH: path }, stdio: 'inherit' })
  const bytes: number[] = []
  let ready = false
  child.on('message', (message: { ready?: true; bytes?: number }) => {
    if (message.ready) ready = true
    if (message.bytes !== undefined) bytes.push(message.bytes)
  })
  try {
    for (const end = performance.now() + seconds * 1_000; performance.now() < end; await sleep(100)) {
      if (hasEnded(child)) throw new Error(`the agent ended with ${child.exitCode ?? child.signalCode}`)
    }
    if (!ready) throw new Error('the agent did not reach the server')
    return bytes
  } finally {
    if (!hasEnded(child)) child.disconnect()
    while (!hasEnded(child)) await sleep(50)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
