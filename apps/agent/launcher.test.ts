import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type AgentUpgrade, upgradeBytes } from '@medley/enrolment/protocol'
import { createLocalExecutor } from '@medley/executor-local'
import { afterEach, describe, expect, it } from 'vitest'
import { engine, isAlive, PATIENCE_MS, until, untilReady } from './fixtures/factory.ts'
import { startStandInServer } from './fixtures/stand-in-server.ts'
import { joinServer, type LauncherEvent, startLauncher } from './index.ts'
import { EXIT_REFUSED, versionsDirectory } from './upgrade/versions.ts'

const AGENT = new URL('./fixtures/launched-agent.ts', import.meta.url)
const BUNDLER = fileURLToPath(new URL('../../scripts/pack/agent-bundle.mjs', import.meta.url))
const LIMITS = { trialMs: 60_000, firstBackoffMs: 50, longestBackoffMs: 200, healthyMs: 60_000, stopMs: 20_000 }

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Server = Awaited<ReturnType<typeof startStandInServer>>

async function setUp(limits: Partial<typeof LIMITS> = {}, version = '0.1.0') {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'medley-l-'))
  const server = await startStandInServer({ internalToken: 'internal', joinTokens: ['mjt_a'] })
  const dataDirectory = path.join(directory, 'd')
  const runDirectory = path.join(directory, 'r')
  await mkdir(dataDirectory)
  await joinServer({ serverUrl: server.url, token: 'mjt_a', dataDirectory })
  const configFile = path.join(directory, 'agent.json')
  const patience = { serverBackoffMaxMs: 300, healthPollStartingMs: 50, healthPollReadyMs: 100, stopGraceMs: 5_000 }
  await writeFile(configFile, JSON.stringify({ dataDirectory, runDirectory, limits: patience }))
  const events: LauncherEvent[] = []
  const output = new PassThrough()
  const lines: string[] = []
  output.on('data', (chunk: Buffer) => lines.push(String(chunk)))
  process.env.SCRIPTED_VERSION = version
  const launcher = startLauncher({
    program: fileURLToPath(AGENT),
    configFile,
    dataDirectory,
    output,
    onEvent: (event) => events.push(event),
    limits: { ...LIMITS, ...limits },
  })
  undo.push(async () => {
    await launcher.stop()
    await createLocalExecutor().reap(path.join(runDirectory, 'w'), () => false, 0)
    await server.close()
    await rm(directory, { recursive: true, force: true })
  })
  const said = (text: string): readonly string[] =>
    lines
      .join('')
      .split('\n')
      .filter((line) => line.includes(text))
  const versions = async (): Promise<readonly string[]> => readdir(versionsDirectory(dataDirectory)).catch(() => [])
  return { server, launcher, events, said, versions, dataDirectory }
}

/** A version of the agent, signed by the server as its release would be. */
function release(server: Server, version: string, program: string): AgentUpgrade {
  const files = [
    { path: 'agent.mjs', content: Buffer.from(program).toString('base64') },
    { path: 'assets/words.txt', content: Buffer.from('words').toString('base64') },
  ]
  return offer(server, version, gzipSync(JSON.stringify({ format: 'medley agent bundle 1', version, files })))
}

function offer(server: Server, version: string, bytes: Buffer): AgentUpgrade {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const place = `/agents/v1/bundles/${version}`
  server.serve(place, bytes)
  const signature = server.channel.sign(upgradeBytes({ version, sha256 }))
  return { version, path: place, bytes: bytes.length, sha256, signature }
}

/** The same agent under another version's name, started from its own folder. */
const working = (version: string): string =>
  `process.env.SCRIPTED_VERSION = '${version}'\nawait import('${AGENT.href}')\n`

const runs = (server: Server, version: string) => () =>
  server.channel.peers().find((peer) => peer.agentVersion === version)

describe('the launcher', { timeout: 4 * PATIENCE_MS }, () => {
  it('replaces the agent by a version that the server signed, its engines running on', async () => {
    const { server, events, versions, dataDirectory } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const { pid } = await untilReady(server, 'replica_1')
    const boot = server.last()?.bootId
    const peer = await until('connected', runs(server, '0.1.0'))
    peer.send({ type: 'upgrade', upgrade: release(server, '0.2.0', working('0.2.0')) })
    await until('upgraded', runs(server, '0.2.0'))
    await until('reported by the new one', () => server.last()?.bootId !== boot)
    expect((await untilReady(server, 'replica_1')).pid).toBe(pid)
    expect(server.last()?.facts.agentVersion).toBe('0.2.0')
    await until('settled', () => events.some((event) => event.kind === 'ready' && event.version === '0.2.0'))
    expect(await versions()).toContain('0.2.0')
    const words = path.join(versionsDirectory(dataDirectory), '0.2.0', 'assets', 'words.txt')
    expect(await readFile(words, 'utf8')).toBe('words')
    expect(server.nodeIds()).toEqual(['node_1'])
  })

  it('runs the real bundle from its own folder, with the natives of the installation', async () => {
    const { server, dataDirectory } = await setUp({}, '0.0.1')
    const out = path.join(dataDirectory, 'bundle')
    const packing = spawn(process.execPath, [BUNDLER, out], { stdio: 'inherit' })
    expect(await once(packing, 'exit')).toEqual([0, null])
    const { version } = JSON.parse(await readFile(path.join(out, 'manifest.json'), 'utf8'))
    const bytes = await readFile(path.join(out, `medley-agent-${version}.json.gz`))
    const peer = await until('connected', runs(server, '0.0.1'))
    peer.send({ type: 'upgrade', upgrade: offer(server, version, bytes) })
    await until('upgraded', runs(server, version))
    const facts = await until('its chips and engines', () => {
      const report = server.last()
      return report && report.facts.agentVersion === version && report.chips.length > 0 && report.facts
    })
    expect(facts.engines.map(({ family }) => family)).toEqual(['llama-cpp'])
    expect(facts.engines[0]?.binaryDigest).not.toBeNull()
  })

  it('takes nothing that is not what the server it joined has signed', async () => {
    const { server, said, versions } = await setUp()
    const peer = await until('connected', runs(server, '0.1.0'))
    const good = release(server, '0.2.0', working('0.2.0'))
    const forged: readonly [Partial<AgentUpgrade>, string][] = [
      [{ signature: good.signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')) }, 'has not signed it'],
      [{ bytes: good.bytes - 1 }, 'not what was signed'],
      [{ version: '0.3.0' }, 'has not signed it'],
      [{ path: '//somebody.example/agents' }, 'not on the server'],
      [{ version: '../0.2.0' }, 'its name is none'],
      [{ path: '/nothing/here' }, 'status 404'],
    ]
    for (const [index, [change, reason]] of forged.entries()) {
      peer.send({ type: 'upgrade', upgrade: { ...good, ...change } })
      const refusals = (): readonly string[] => said('upgrade failed')
      expect((await until(reason, () => refusals().length > index && refusals()))[index]).toContain(reason)
    }
    server.serve(good.path, Buffer.from('something else'))
    peer.send({ type: 'upgrade', upgrade: { ...good, bytes: 14 } })
    await until('not installed', () => said('upgrade failed').length > forged.length)
    expect(await versions()).toEqual([])
    expect(runs(server, '0.1.0')()).toBe(peer)
  })

  it('goes back when the new version ends before the server welcomed it, and does not try it again', async () => {
    const { server, events, said } = await setUp()
    const broken = release(server, '0.2.0', `process.stderr.write('broken from birth\\n'); process.exit(1)`)
    ;(await until('connected', runs(server, '0.1.0'))).send({ type: 'upgrade', upgrade: broken })
    await until('rolled back', () => events.some((event) => event.kind === 'rolled-back' && event.version === '0.2.0'))
    const again = await until('connected again', runs(server, '0.1.0'))
    expect(said('broken from birth').length).toBeGreaterThan(0)
    again.send({ type: 'upgrade', upgrade: broken })
    await until('put off', () => said('upgrade put off').length > 0)
    expect(events.filter((event) => event.kind === 'started' && event.version === '0.2.0')).toHaveLength(3)
  })

  it('goes back when the new version runs and never reaches the server', async () => {
    const { server, events } = await setUp({ trialMs: 2_000 })
    const mute = release(server, '0.2.0', 'setInterval(() => undefined, 1000)')
    ;(await until('connected', runs(server, '0.1.0'))).send({ type: 'upgrade', upgrade: mute })
    await until('rolled back', () => events.some((event) => event.kind === 'rolled-back' && event.version === '0.2.0'))
    expect(await until('connected again', runs(server, '0.1.0'))).toBeTruthy()
  })

  it('starts an agent that was killed again, and ends with its engines when told to', async () => {
    const { server, launcher, events } = await setUp()
    server.want([engine('replica_1', 'ready')])
    const { pid } = await untilReady(server, 'replica_1')
    const first = events.find((event) => event.kind === 'started')
    if (first) process.kill(first.pid, 'SIGKILL')
    await until('started again', () => events.filter((event) => event.kind === 'ready').length === 2)
    expect(isAlive(pid)).toBe(true)
    await launcher.stop()
    expect(await launcher.done).toBe(0)
    await until('gone with it', () => !isAlive(pid))
  })

  it('ends for good when the server will never take this node again', async () => {
    const { server, launcher } = await setUp()
    await until('connected', runs(server, '0.1.0'))
    server.forgetNodes()
    expect(await launcher.done).toBe(EXIT_REFUSED)
  })
})
