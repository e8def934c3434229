import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { generateNodeKey, verifyUpgrade } from '@medley/enrolment'
import { joinAnswer } from '@medley/enrolment/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createdJoinToken } from '../api/fleet-schemas.ts'
import { startTestFactory, type TestFactory } from '../http/test-factory.ts'
import { introduce } from './test-agent.ts'

let test: TestFactory
let address: string
const bundle = gzipSync('an agent')
const sha256 = createHash('sha256').update(bundle).digest('hex')

beforeAll(async () => {
  test = await startTestFactory()
  address = await test.listen()
}, 120_000)
afterAll(() => test.close())

/** A node with hardware, on another machine. */
async function remoteNode(nodeKey: string) {
  const made = await test.asOperator('/api/v1/join-tokens', { method: 'POST', body: '{}' })
  const { token } = createdJoinToken.parse(await made.json())
  const key = generateNodeKey()
  const joined = await fetch(`${address}/agents/v1/join`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ nodeKey, hostname: nodeKey, publicKey: key.publicKey, agentVersion: '0' }),
  })
  return { ...joinAnswer.parse(await joined.json()), key }
}

async function place(manifest: object): Promise<void> {
  const directory = join(test.server.factory.config.dataDirectory, 'agent-bundle')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'medley-agent-9.9.9.json.gz'), bundle)
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest))
  await test.server.factory.upgrades.refresh()
}

describe('an upgrade', { timeout: 60_000 }, () => {
  it('is not offered while its bundle is not what its manifest says', async () => {
    await place({ version: '9.9.9', bytes: bundle.length, sha256: '0'.repeat(64) })
    expect(test.server.factory.upgrades.current()).toBeNull()
  })

  it('is offered to connected agents of other nodes, signed, and fetched from the server', async () => {
    const remote = await remoteNode('remote')
    const own = await test.joinOwn('own')
    const [agent, ownAgent] = [await introduce(address, remote), await introduce(address, own)]
    await Promise.all([agent.next('welcome'), ownAgent.next('welcome')])
    await place({ version: '9.9.9', bytes: bundle.length, sha256 })
    await test.asOperator('/api/v1/fleet/map')
    test.server.factory.channel.offerUpgrades()
    const { upgrade } = await agent.next('upgrade')
    expect(upgrade).toMatchObject({ version: '9.9.9', bytes: bundle.length, sha256 })
    expect(verifyUpgrade(remote.instanceKey, upgrade)).toBe(true)
    const fetched = await fetch(new URL(upgrade.path, address))
    expect(Buffer.from(await fetched.arrayBuffer()).equals(bundle)).toBe(true)
    expect((await fetch(new URL('/agents/v1/bundles/other', address))).status).toBe(404)

    test.server.factory.channel.close()
    await expect(agent.next('upgrade')).rejects.toThrow('closed')
    await expect(ownAgent.next('upgrade')).rejects.toThrow('closed')
  })
})
