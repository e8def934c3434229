import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { starterModel } from '@medley/testkit'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { freePortPair } from '../factory.ts'

const BUILT = fileURLToPath(new URL('../../dist/pack', import.meta.url))
const run = promisify(execFile)

const createdKey = z.object({ key: z.string() })

// Outside the clone, so that nothing is found in its node_modules by accident.
const home = mkdtempSync(join(tmpdir(), 'medley-packed-'))
const folder = join(home, 'medley')
const data = join(home, 'data')
const program = join(folder, 'bin', 'medley.mjs')

const medley = async (...args: string[]): Promise<unknown> => {
  const { stdout } = await run(process.execPath, [program, ...args, '--data', data, '--json'], { cwd: home })
  return JSON.parse(stdout)
}

describe('the packed form', () => {
  let stop = async () => {}
  let port = 0

  beforeAll(async () => {
    if (!existsSync(BUILT)) throw new Error('dist/pack is missing: npm run pack')
    cpSync(BUILT, folder, { recursive: true })
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
    port = await freePortPair()
    const up = spawn(process.execPath, [program, 'up', '--data', data, '--port', String(port)], {
      cwd: home,
      env: { ...process.env, CI: 'true', MEDLEY_STARTER_MODEL: await starterModel() },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(up, 'exit')
    let output = ''
    for (const stream of [up.stdout, up.stderr]) stream.on('data', (piece) => (output += piece))
    stop = async () => {
      up.kill('SIGTERM')
      await ended
    }
    while (!output.includes('Stop with Ctrl-C')) {
      if (up.exitCode !== null) throw new Error(`the packed factory ended:\n${output}`)
      await sleep(200)
    }
  }, 600_000)

  afterAll(async () => {
    await stop()
    rmSync(home, { recursive: true, force: true })
  })

  it('answers a question', async () => {
    const { key } = createdKey.parse(await medley('keys', 'create', '--name', 'packed'))
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${port + 1}/v1`, apiKey: key })
    const answer = await client.chat.completions.create({
      model: 'smollm2-135m-instruct',
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      temperature: 0,
      max_tokens: 32,
    })
    expect(answer.choices[0]?.message.content).toContain('Paris')
  })

  it('serves its console and tells its state', async () => {
    const page = await fetch(`http://127.0.0.1:${port}/`)
    expect(await page.text()).toMatch(/<script type="module"[^>]* src="\/assets\//)
    expect(await medley('status')).toMatchObject({ ready: true })
  })
})
