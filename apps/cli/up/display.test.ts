import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { StartupStep, Status } from '@medley/server/schemas'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiClient, connect } from '../api-client.ts'
import { createDisplay, createJsonDisplay, type Display } from './display.ts'
import { takeLock } from './lock.ts'
import { describeWelcome, type Welcome } from './welcome.ts'

const STEPS = ['chips', 'model', 'proving', 'deployment'] as const
const skipped = (step: StartupStep['step']): StartupStep => ({
  step,
  state: 'skipped',
  done: 0,
  total: null,
  unit: '',
  detail: null,
})

let state: Partial<Status>
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(state))
})
let directory: string
let client: ApiClient
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  directory = mkdtempSync(join(tmpdir(), 'medley-display-'))
  takeLock(join(directory, 'run', 'up.json'), { host: '127.0.0.1', port, gatewayPort: port })
  mkdirSync(join(directory, 'instance'))
  writeFileSync(join(directory, 'instance', 'secrets.json'), '{"operatorToken":"none"}')
  client = connect(directory)
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

/** What a display shows of a factory that had nothing to do. */
async function shown(
  create: (out: PassThrough) => Display,
  wanted: { prove: boolean; starterModel: string | null },
  known: { score?: number; deployed?: boolean },
): Promise<string> {
  state = {
    ready: true,
    steps: STEPS.map(skipped),
    chips: [],
    models: [],
    deployments: known.deployed ? [{ id: 'd', name: 'd', state: 'ready', servedModel: 'towel', restarts: 0 }] : [],
    score: { axes: known.score === undefined ? {} : { decode: known.score }, fitness: null, reason: null },
  }
  const out = new PassThrough()
  await create(out).follow(client, wanted, new AbortController().signal)
  out.end()
  return text(out)
}
const plain = (out: PassThrough) => createDisplay(out as unknown as NodeJS.WriteStream, {})

describe('a step without work', () => {
  it('was done at an earlier start', async () => {
    const seen = await shown(plain, { prove: true, starterModel: 'towel' }, { score: 50, deployed: true })
    expect(seen.match(/already done/g)).toHaveLength(4)
    expect(seen).not.toContain('switched off')
  })

  it('or was switched off, by the option that is named', async () => {
    const unproved = await shown(plain, { prove: false, starterModel: 'towel' }, { deployed: true })
    expect(unproved).toMatch(/Proving.*switched off \(--no-proving\)/)
    expect(unproved.match(/switched off/g)).toHaveLength(1)
    const bare = await shown(plain, { prove: true, starterModel: null }, {})
    expect(bare.match(/switched off \(--no-starter\)/g)).toHaveLength(3)
  })

  it('keeps the score of an earlier start when proving is off now', async () => {
    const seen = await shown(plain, { prove: false, starterModel: 'towel' }, { score: 50, deployed: true })
    expect(seen).toMatch(/Proving.*already done: decode 50\.0/)
  })
})

describe('for a program that reads', () => {
  it('each line is JSON: the steps, then where everything is', async () => {
    const seen = await shown(createJsonDisplay, { prove: true, starterModel: null }, {})
    expect(
      seen
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(STEPS.map(skipped))
    const out = new PassThrough()
    createJsonDisplay(out).welcome(WELCOME)
    out.end()
    expect(JSON.parse(await text(out))).toEqual(WELCOME)
  })
})

const WELCOME: Welcome = {
  ready: true,
  console: 'http://127.0.0.1:7070',
  signInLink: 'http://127.0.0.1:7070/sign-in#token=t',
  endpoint: 'http://127.0.0.1:7071/v1',
  apiKey: null,
  model: 'towel',
}

describe('the line to try', () => {
  it.each([
    [null, 'mk_from_environment'],
    ['mk_first', 'mk_first'],
  ])('reaches a shell’s command with the key in place (%s)', (apiKey, expected) => {
    const line = describeWelcome({ ...WELCOME, apiKey }).match(/^ {2}curl (.*)$/m)?.[1] ?? ''
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], {
      env: { ...process.env, MEDLEY_API_KEY: 'mk_from_environment' },
      encoding: 'utf8',
    }).split('\n')
    expect(words).toContain(`Authorization: Bearer ${expected}`)
    expect(JSON.parse(words[6] ?? '')).toMatchObject({ model: 'towel' })
  })
})
