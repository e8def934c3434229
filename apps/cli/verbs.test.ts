import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { CliError } from './cli-error.ts'
import { createProgram } from './program.ts'
import { takeLock } from './up/lock.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

let directory: string
let data: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'medley-verbs-'))
  chmodSync(directory, 0o755)
  data = join(directory, 'data')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function medley(words: readonly string[], env: NodeJS.ProcessEnv = {}, uid?: number): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...words], {
      env: { ...process.env, MEDLEY_DATA: data, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid }),
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (piece) => (out += piece))
    child.stderr.on('data', (piece) => (err += piece))
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

/** What needs no process of its own: two hundred of them take minutes. Standard error is told by `main.ts` alone. */
async function inProcess(words: readonly string[]): Promise<{ code: number; message: string; out: string }> {
  let out = ''
  const writing = vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    out += String(piece)
    return true
  })
  const complaining = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  try {
    vi.stubEnv('MEDLEY_DATA', data)
    await createProgram().parseAsync(words, { from: 'user' })
    return { code: 0, message: '', out }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { code: error.exitCode, message: error.message, out }
  } finally {
    writing.mockRestore()
    complaining.mockRestore()
    vi.unstubAllEnvs()
  }
}

/** Each verb with what it needs to be called rightly, and how it can be called wrongly. */
const VERBS: readonly (readonly [verb: string, right: string, wrong: string])[] = [
  ['status', '', '--frob'],
  ['sign-in-link', '', 'surplus'],
  ['chips', '', '--frob'],
  ['chips', '--vendor acme --state lost --node node_1', '--state broken'],
  ['chips show', 'chip_1', ''],
  ['chips history', 'chip_1', 'chip_1 --from yesterday'],
  ['chips history', 'chip_1', 'chip_1 --limit 501'],
  ['chips quarantine', 'chip_1 --reason hot', 'chip_1'],
  ['chips release', 'chip_1 --reason cool', 'chip_1'],
  ['fleet', '', 'frob'],
  ['fleet map', '', 'surplus'],
  ['fleet events', '--from 7d --to 1h', '--from never'],
  ['fleet events', '--node node_1', '--limit 0'],
  ['nodes', '--filter a', '--frob'],
  ['nodes show', 'node_1', ''],
  ['nodes cordon', 'node_1', ''],
  ['nodes uncordon', 'node_1', 'one two'],
  ['nodes drain', 'node_1 --reason fan', ''],
  ['nodes label', 'node_1 tier=a old-', 'node_1 tier'],
  ['nodes taint', 'node_1 a=b:no-schedule c-', 'node_1 a=b:never'],
  ['nodes taint', 'node_1 c-', 'node_1 a=b'],
  ['nodes taint', 'node_1 a=b:NoSchedule a:PreferNoSchedule b=:NoExecute c-', 'node_1 a=b:NoScheduling'],
  ['nodes place', 'node_1 --rack 1', 'node_1'],
  ['nodes revoke', 'node_1 --reason sold', 'node_1'],
  ['nodes maintenance', '', '--to +2h --reason fan'],
  ['nodes maintenance', 'node_1 --to +2h --reason fan', 'node_1 --to +2h'],
  ['nodes maintenance', 'node_1 --cancel maint_1', 'node_1 --to soon --reason fan'],
  ['agent token', '', 'frob'],
  ['agent token list', '', 'surplus'],
  ['agent token create', '--uses 8 --ttl 2h', '--uses 0'],
  ['agent token create', '--simulated', '--ttl forever'],
  ['agent token revoke', 'join_1', ''],
  ['alerts', '--state all', '--state loud'],
  ['alerts acknowledge', 'alert_1', ''],
  ['alerts rules', '', 'frob'],
  ['alerts rules enable', 'rule_1', ''],
  ['alerts rules disable', 'rule_1', ''],
  ['alerts channels', '', 'frob'],
  ['alerts channels test', 'channel_1', ''],
  ['audit', '--outcome denied', '--outcome maybe'],
  ['audit', '--from 7d', '--from someday'],
  ['prove', '', 'one two'],
  ['models', '', 'surplus'],
  ['deployments', '', 'frob'],
  ['deployments stop', 'deployment_1', ''],
  ['deployments start', 'deployment_1', ''],
  ['chat', 'Hello', ''],
  ['chat', 'Hello', '--max-tokens many Hello'],
  ['chat', 'Hello', '--max-tokens 0 Hello'],
  ['chat', 'Hello', '--temperature hot Hello'],
  ['chat', 'Hello', '--temperature -1 Hello'],
  ['keys', '', 'frob'],
  ['keys list', '', 'surplus'],
  ['keys create', '--name laptop', ''],
  ['keys create', '--name laptop', '--name laptop --expires tomorrow'],
  ['keys create', '--name laptop', '--name laptop --expires 2001-01-31'],
  ['keys revoke', 'key_1', ''],
  ['usage', '', '--frob'],
  ['usage events', '', 'surplus'],
]
/** Verbs that work without a factory, or make one. */
const ALONE: readonly (readonly [verb: string, wrong: string])[] = [
  ['', ''],
  ['', 'frob'],
  ['up', '--port 65535'],
  ['up', '--drain soon'],
  ['up', '--sample-every often'],
  ['up', '--sample-every 20m'],
  ['up', '--listen 192.0.2.1'],
  ['doctor', 'surplus'],
  ['agent', 'frob'],
  ['agent join', ''],
  ['agent join', 'https://[::1]:7070'],
  ['agent join', 'ftp://127.0.0.1 --token t'],
  ['agent join', 'http://192.0.2.1:7070 --token t'],
  ['agent run', 'surplus'],
  ['agent status', 'surplus'],
  ['fleet simulate', ''],
  ['fleet simulate', '--plan plan.yaml --duration long'],
  ['chips parse', 'file'],
  ['chips parse', 'file --vendor nobody'],
  ['chips vendors', '--frob'],
]
const split = (text: string) => text.split(' ').filter((word) => word !== '')

describe('every verb', () => {
  it.each([...VERBS.map(([verb, , wrong]) => [verb, wrong] as const), ...ALONE])(
    'ends with 2 when used wrongly: medley %s %s',
    async (verb, wrong) => {
      const { code, message, out } = await inProcess([...split(verb), ...split(wrong)])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      if (verb !== '' || wrong !== '') expect(message).toMatch(/^\S/)
    },
  )

  it.each([...new Map(VERBS.map(([verb, right]) => [verb, right]))])(
    'ends with 5 where no factory runs: medley %s %s',
    async (verb, right) => {
      const { code, out, err } = await medley([...split(verb), '--json', ...split(right)])
      expect({ code, out }).toEqual({ code: 5, out: '' })
      expect(JSON.parse(err)).toEqual({
        error: { exitCode: 5, message: expect.stringContaining('npm start'), code: null },
      })
    },
  )

  it.each([...new Set([...VERBS, ...ALONE].map(([verb]) => verb))])(
    'has help with 0: medley %s --help',
    async (verb) => {
      const { code, message, out } = await inProcess([...split(verb), '--help'])
      expect({ code, message }).toEqual({ code: 0, message: '' })
      expect(out).toMatch(verb === '' ? /^Usage: medley/ : /Example:\n {2}medley /)
    },
  )
})

describe('a machine that has not joined', () => {
  it.each(['agent run', 'agent status'])('is told how to: medley %s', async (verb) => {
    const { code, err } = await medley([...split(verb), '--json'])
    expect(code).toBe(5)
    expect(JSON.parse(err)).toMatchObject({ error: { message: expect.stringContaining('medley agent join URL') } })
  })

  it('is told when no server answers, with nothing of its token', async () => {
    const { code, err } = await medley(['agent', 'join', 'http://127.0.0.1:1', '--no-run', '--json'], {
      MEDLEY_JOIN_TOKEN: 'mjt_towels',
      MEDLEY_DATA: join(directory, 'joiner'),
    })
    expect(code).toBe(5)
    expect(JSON.parse(err)).toMatchObject({ error: { exitCode: 5, code: 'agent.join.unreachable' } })
    expect(err).not.toContain('towels')
  })
})

describe('medley fleet simulate', () => {
  const plan = (text: string) => {
    const file = join(directory, 'plan.yaml')
    writeFileSync(file, text)
    return file
  }

  it('ends with 3 where there is no such plan', async () => {
    const { code, err } = await medley(['fleet', 'simulate', '--plan', join(directory, 'none.yaml')])
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('none.yaml') })
  })

  it.each([
    ['groups: [', /neither YAML nor JSON/],
    ['groups: []', /\n {2}groups: /],
  ])('ends with 2 and says where a plan does not fit: %s', async (text, message) => {
    const { code, err } = await medley(['fleet', 'simulate', '--plan', plan(text)])
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it('ends with 5 where no factory runs', async () => {
    const file = plan('groups: [{ name: g, nodes: 1, vendor: acme, product: A1 }]')
    const { code, err } = await medley(['fleet', 'simulate', '--plan', file])
    expect({ code, err }).toEqual({ code: 5, err: expect.stringContaining('npm start') })
  })
})

describe('the program', () => {
  it('tells wrong usage on standard error alone', async () => {
    expect(await medley([])).toEqual({ code: 2, out: '', err: expect.stringMatching(/^Usage: medley/) })
    expect(await medley(['keys', 'frob'])).toEqual({ code: 2, out: '', err: expect.stringMatching(/^medley: \S/) })
  })

  it('tells its version', async () => {
    expect(await medley(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })

  it('tells wrong usage as JSON when JSON is asked for', async () => {
    const { code, err } = await medley(['keys', '--json', '--frob'])
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({ error: { exitCode: 2, code: null } })
  })
})

describe('medley up', () => {
  it('says at once why somebody else’s database cannot be used, without its password', async () => {
    const { code, out, err } = await medley(['up', '--data', join(directory, 'store'), '--port', '47190'], {
      DATABASE_URL: 'postgresql://me:pa%24%24word@127.0.0.1:1/towels',
    })
    expect(code).toBe(5)
    expect(err).toContain('127.0.0.1:1, database towels')
    expect(err).toContain('nothing listens there')
    expect(out + err).not.toMatch(/pa%24%24word|pa\$\$word/)
  })

  it('refuses a DATABASE_URL of another kind without showing it', async () => {
    const { code, err } = await medley(['up', '--data', join(directory, 'store'), '--port', '47190', '--json'], {
      DATABASE_URL: 'mysql://me:secret@127.0.0.1/towels',
    })
    expect(code).toBe(2)
    expect(err).not.toContain('secret')
    expect(JSON.parse(err)).toMatchObject({ error: { exitCode: 2 } })
  })

  it('refuses a data directory on which another one runs', async () => {
    const taken = join(directory, 'taken')
    takeLock(join(taken, 'run', 'up.json'), { host: '::1', port: 7070, gatewayPort: 7071 })
    const { code, err } = await medley(['up', '--data', taken])
    expect(code).toBe(5)
    expect(err).toContain('http://[::1]:7070')
  })
})

describe('another user’s data directory', () => {
  const asRoot = process.getuid?.() === 0
  it.skipIf(!asRoot).each([['up'], ['status']])('ends with 4: medley %s', async (verb) => {
    const theirs = join(directory, `theirs-${verb}`)
    mkdirSync(join(theirs, 'run'), { recursive: true })
    chmodSync(theirs, 0o700)
    const { code, err } = await medley([verb, '--data', theirs], { HOME: directory }, 65_534)
    expect(code).toBe(4)
    expect(err).toContain(theirs)
  })
})

describe('medley doctor', () => {
  it('looks at both ports', async () => {
    const { out } = await medley(['doctor', '--json'], { MEDLEY_PORT: '47192' })
    const { findings } = JSON.parse(out) as { findings: { check: string }[] }
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['Port 47192 (console and API)', 'Port 47193 (gateway)']),
    )
  })

  it('finds a server that does not answer, instead of failing itself', async () => {
    const down = join(directory, 'down')
    takeLock(join(down, 'run', 'up.json'), { host: '127.0.0.1', port: 1, gatewayPort: 2 })
    mkdirSync(join(down, 'instance'))
    writeFileSync(join(down, 'instance', 'secrets.json'), '{"operatorToken":"none"}')
    const { code, out } = await medley(['doctor', '--json', '--data', down])
    expect(code).toBe(1)
    const { findings } = JSON.parse(out) as { findings: { check: string; ok: boolean; found: string }[] }
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'Factory', ok: false, found: expect.stringContaining('does not answer') }),
    )
  })
})

describe('an answer of the server', () => {
  const problem = { code: 'x.y', title: 'No.', detail: null, hint: 'Do not.', status: 404, type: 't', errors: [] }
  const pages: Record<string, unknown> = {
    '/api/v1/keys?limit=500': { items: [key('one', null)], nextCursor: 'a b' },
    '/api/v1/keys?limit=500&cursor=a%20b': { items: [key('two', '2001-01-31T00:00:00Z')], nextCursor: null },
  }
  const server = createServer((request, response) => {
    const page = pages[request.url ?? '']
    response.writeHead(page ? 200 : request.url?.startsWith('/api/v1/playground') ? 404 : 409, {
      'content-type': 'application/json',
    })
    const unknownModel = { error: { message: 'There is no model towel', code: 'model_not_found' } }
    response.end(JSON.stringify(page ?? (request.url?.startsWith('/api/v1/playground') ? unknownModel : problem)))
  })
  let running: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.address() as AddressInfo
    running = join(directory, 'running')
    takeLock(join(running, 'run', 'up.json'), { host: '127.0.0.1', port, gatewayPort: port })
    mkdirSync(join(running, 'instance'))
    writeFileSync(join(running, 'instance', 'secrets.json'), '{"operatorToken":"none"}')
  })
  afterAll(() => server.close())

  it('is read to its last page, and an expired key is called so', async () => {
    const { code, out } = await medley(['keys', '--data', running])
    expect(code).toBe(0)
    expect(out).toMatch(/one .*valid\n/)
    expect(out).toMatch(/two .*expired 2001-01-31/)
  })

  it('ends with 3 where it knows no such model', async () => {
    const { code, err } = await medley(['chat', '--model', 'towel', '--json', 'Hello', '--data', running])
    expect(code).toBe(3)
    expect(JSON.parse(err)).toEqual({
      error: { exitCode: 3, message: 'There is no model towel', code: 'model_not_found' },
    })
  })

  it('hands its code on', async () => {
    const { code, err } = await medley(['keys', 'revoke', 'key_1', '--json', '--data', running])
    expect(code).toBe(5)
    expect(JSON.parse(err)).toEqual({ error: { exitCode: 5, message: 'No.\nDo not. [x.y]', code: 'x.y' } })
  })
})

function key(name: string, expiresAt: string | null) {
  return {
    id: `key_${name}`,
    name,
    prefix: 'abc',
    scopes: [],
    createdAt: '2001-01-01T00:00:00Z',
    expiresAt,
    revokedAt: null,
    lastUsedAt: null,
  }
}
