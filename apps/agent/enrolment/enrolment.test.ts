import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startStandInServer } from '../fixtures/stand-in-server.ts'
import { openCredentials } from './credentials.ts'
import { joinServer } from './join.ts'

let directory = ''
const undo: (() => unknown)[] = []
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'medley-j-'))
})
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  await rm(directory, { recursive: true, force: true })
})

async function serverWith(joinTokens: readonly string[]) {
  const server = await startStandInServer({ internalToken: 'internal', joinTokens })
  undo.push(server.close)
  return server
}

const file = (): string => path.join(directory, 'agent', 'credentials.json')
const wish = (serverUrl: string, token: string) => ({ serverUrl, token, dataDirectory: directory })

describe('joining', { timeout: 60_000 }, () => {
  it('keeps whom it joined and its own key, readable by nobody else', async () => {
    const server = await serverWith(['mjt_a'])
    const joined = await joinServer(wish(server.url, 'mjt_a'))
    expect(joined).toMatchObject({ serverUrl: server.url, nodeId: 'node_1', instanceId: 'inst_1' })
    expect(await openCredentials(path.join(directory, 'agent'))).toMatchObject({ joined })
    if (process.platform !== 'win32') expect((await stat(file())).mode & 0o777).toBe(0o600)
  })

  it('stays the same node with the same key when the answer was lost on the way', async () => {
    const server = await serverWith(['mjt_a', 'mjt_b'])
    server.setLoseAnswers(true)
    await expect(joinServer(wish(server.url, 'mjt_a'))).rejects.toMatchObject({ code: 'agent.join.unreachable' })
    server.setLoseAnswers(false)
    await expect(joinServer(wish(server.url, 'mjt_a'))).rejects.toMatchObject({ code: 'agent.join.refused' })
    expect((await joinServer(wish(server.url, 'mjt_b'))).nodeId).toBe('node_1')
    expect(server.nodeIds()).toEqual(['node_1'])
  })

  it('is refused with a token that was spent by another, and stays what it was', async () => {
    const server = await serverWith(['mjt_a', 'mjt_b'])
    await joinServer(wish(server.url, 'mjt_a'))
    const before = await readFile(file(), 'utf8')
    const stolen = joinServer({ ...wish(server.url, 'mjt_a'), dataDirectory: path.join(directory, 'thief') })
    await expect(stolen).rejects.toMatchObject({
      code: 'agent.join.refused',
      params: { code: 'enrolment.token.refused' },
    })
    await expect(joinServer(wish(server.url, 'mjt_unknown'))).rejects.toMatchObject({ code: 'agent.join.refused' })
    expect(await readFile(file(), 'utf8')).toBe(before)
  })

  it('says that nobody is there', async () => {
    const asked = joinServer(wish('http://127.0.0.1:1', 'mjt_a'))
    await expect(asked).rejects.toMatchObject({ code: 'agent.join.unreachable', params: { reason: expect.anything() } })
  })

  it('goes on with the key of an earlier version’s directory', async () => {
    await openCredentials(path.join(directory, 'agent'))
    await rm(file())
    await writeFile(path.join(directory, 'agent', 'node.json'), JSON.stringify({ nodeKey: 'earlier' }))
    expect((await openCredentials(path.join(directory, 'agent'))).nodeKey).toBe('earlier')
  })

  it.skipIf(process.platform === 'win32')('does not use a key that others may read', async () => {
    await openCredentials(path.join(directory, 'agent'))
    await chmod(file(), 0o640)
    await expect(openCredentials(path.join(directory, 'agent'))).rejects.toMatchObject({
      code: 'agent.credentials.exposed',
      params: { mode: '640' },
    })
  })

  it('never makes a new key over one it cannot read, and does not print what it read', async () => {
    await openCredentials(path.join(directory, 'agent'))
    const kept = (await readFile(file(), 'utf8')).slice(0, -1)
    await writeFile(file(), kept)
    const failure = await openCredentials(path.join(directory, 'agent')).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'agent.credentials.unreadable' })
    expect(String(failure)).not.toContain('privateKey')
    expect(await readFile(file(), 'utf8')).toBe(kept)
  })
})
