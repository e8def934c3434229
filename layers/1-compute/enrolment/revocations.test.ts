import { waitFor } from '@medley/testkit'
import { describe, expect, it } from 'vitest'
import { generateNodeKey } from './index.ts'
import {
  audited,
  codeOf,
  FROM,
  here,
  open,
  request,
  tenant,
  there,
  turn,
  useTwoServers,
} from './two-servers.fixture.ts'

useTwoServers()

describe('a revoked node', () => {
  it('has no key, cannot join again, and is told of at once here and soon in other processes', async () => {
    const scope = tenant()
    const { token, view } = await here.createToken(scope, { note: '', uses: 2, dedicated: true })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    const heard = { here: [] as string[], there: [] as string[] }
    const stops = [here.onRevoked((id) => heard.here.push(id)), there.onRevoked((id) => heard.there.push(id))]
    await here.revokeNode(scope, nodeId, 'stolen')
    expect(heard.here.filter((id) => id === nodeId)).toEqual([nodeId])
    expect(await there.keyOf(nodeId)).toBeNull()
    await waitFor('the other process', () => heard.there.includes(nodeId))
    await here.revokeNode(scope, nodeId, 'again')
    expect(await codeOf(there.join(token, asked, FROM))).toBe('enrolment.node.revoked')
    expect((await audited(scope, 'node.join'))[0]).toMatchObject({ outcome: 'denied', subject: nodeId })
    expect(await here.tokens(scope, { after: null, limit: 1 })).toEqual([{ ...view, usesLeft: 1 }])
    expect(await audited(scope, 'node.revoke')).toMatchObject([
      { outcome: 'done', subject: nodeId, actor: { id: 'user_op' }, detail: { reason: 'stolen' } },
    ])
    for (const stop of stops) stop()
  })

  it('stays so when it is revoked in the middle of its own join', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', dedicated: true, uses: 2 })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    turn.meanwhile = (id) => there.revokeNode(scope, id, 'stolen')
    const renewed = { ...asked, publicKey: generateNodeKey().publicKey }
    expect(await codeOf(here.join(token, renewed, FROM))).toBe('enrolment.node.revoked')
    expect(await here.keyOf(nodeId)).toBeNull()
    expect((await audited(scope, 'node.join'))[0]).toMatchObject({ outcome: 'denied', code: 'enrolment.node.revoked' })
  })

  it('is told of once by each process, whoever revokes and however many at once', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', dedicated: true, uses: 12 })
    const nodes = await Promise.all(Array.from({ length: 12 }, () => here.join(token, request(), FROM)))
    const expected = nodes.map(({ nodeId }) => nodeId).sort()
    const heard = { here: [] as string[], there: [] as string[] }
    const stops = [
      here.onRevoked((id) => expected.includes(id) && heard.here.push(id)),
      there.onRevoked((id) => expected.includes(id) && heard.there.push(id)),
      here.onRevoked(() => {
        throw new Error('a listener that fails')
      }),
    ]
    await Promise.all(expected.map((id, index) => (index % 2 === 0 ? here : there).revokeNode(scope, id, 'all')))
    await waitFor('both processes', () => heard.here.length >= 12 && heard.there.length >= 12)
    expect(heard.here.sort()).toEqual(expected)
    expect(heard.there.sort()).toEqual(expected)
    for (const stop of stops) stop()
  })

  it('is told of to a process that starts in that moment', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', dedicated: true })
    const { nodeId } = await here.join(token, request(), FROM)
    await here.revokeNode(scope, nodeId, 'gone')
    const heard: string[] = []
    const late = open()
    late.onRevoked((id) => heard.push(id))
    await waitFor('the late process', () => heard.includes(nodeId))
    late.close()
    expect(heard).toContain(nodeId)
  })

  it('of another tenant is unknown, of the centre is within reach of its operator alone', async () => {
    const [owner, other] = [tenant(), tenant()]
    const join = async (dedicated: boolean) => {
      const { token } = await here.createToken(owner, { note: '', dedicated })
      return (await here.join(token, request(), FROM)).nodeId
    }
    const [own, common] = [await join(true), await join(false)]
    expect(await codeOf(here.revokeNode(other, own, 'mine now'))).toBe('enrolment.node.unknown')
    expect(await codeOf(here.revokeNode(other, 'node_nobody', ''))).toBe('enrolment.node.unknown')
    expect(await here.keyOf(own)).not.toBeNull()
    expect(await audited(other, 'node.revoke')).toMatchObject([
      { outcome: 'denied', subject: 'node_nobody' },
      { outcome: 'denied', subject: own, code: 'enrolment.node.unknown' },
    ])
    for (const scope of [other, owner]) {
      expect(await codeOf(here.revokeNode(scope, common, 'broken'))).toBe('enrolment.node.unknown')
      expect(await codeOf(here.revokeNode(scope, common, 'broken', { centre: false }))).toBe('enrolment.node.unknown')
    }
    expect(await here.keyOf(common)).not.toBeNull()
    expect(await codeOf(here.revokeNode(other, own, 'mine now', { centre: true }))).toBe('enrolment.node.unknown')
    await here.revokeNode(other, common, 'broken', { centre: true })
    expect(await here.keyOf(common)).toBeNull()
  })
})

describe('a replaced key', () => {
  it('is told of at once here and soon in other processes, once by each, and the same key again is none', async () => {
    const scope = tenant()
    const { token } = await here.createToken(scope, { note: '', dedicated: true, uses: 4 })
    const asked = request()
    const { nodeId } = await here.join(token, asked, FROM)
    const heard = { here: [] as string[], there: [] as string[], revoked: [] as string[] }
    const stops = [
      here.onReplaced((id) => id === nodeId && heard.here.push(id)),
      there.onReplaced((id) => id === nodeId && heard.there.push(id)),
      there.onRevoked((id) => id === nodeId && heard.revoked.push(id)),
    ]
    await here.join(token, asked, FROM)
    expect(heard.here).toEqual([])
    await here.join(token, { ...asked, publicKey: generateNodeKey().publicKey }, FROM)
    expect(heard.here).toEqual([nodeId])
    await waitFor('the other process', () => heard.there.length > 0)
    await there.join(token, { ...asked, publicKey: generateNodeKey().publicKey }, FROM)
    expect(heard.there).toEqual([nodeId, nodeId])
    await waitFor('this process', () => heard.here.length > 1)
    await here.revokeNode(scope, nodeId, 'stolen')
    await waitFor('the revocation', () => heard.revoked.length > 0)
    expect(heard).toEqual({ here: [nodeId, nodeId], there: [nodeId, nodeId], revoked: [nodeId] })
    for (const stop of stops) stop()
  })

  it('is told of however many joins of one node come at once, so that only the last is left', async () => {
    const { token } = await here.createToken(tenant(), { note: '', dedicated: true, uses: 8 })
    const asked = request()
    const heard: string[] = []
    const stop = there.onReplaced((id) => heard.push(id))
    const keys = Array.from({ length: 8 }, () => generateNodeKey().publicKey)
    const joined = await Promise.all(
      keys.map((publicKey, index) => (index % 2 ? here : there).join(token, { ...asked, publicKey }, FROM)),
    )
    const nodeId = joined[0]?.nodeId ?? ''
    await waitFor('the replaced keys', () => heard.includes(nodeId))
    expect(keys).toContain((await there.keyOf(nodeId))?.publicKey)
    stop()
  })
})

it('goes without a poll after close', async () => {
  const closing = open()
  const heard: string[] = []
  closing.onRevoked((id) => heard.push(id))
  closing.close()
  const scope = tenant()
  const { token } = await here.createToken(scope, { note: '', dedicated: true })
  const { nodeId } = await here.join(token, request(), FROM)
  const told: string[] = []
  const stop = there.onRevoked((id) => told.push(id))
  await here.revokeNode(scope, nodeId, 'gone')
  await waitFor('an open process', () => told.includes(nodeId))
  expect(heard).toEqual([])
  stop()
})
