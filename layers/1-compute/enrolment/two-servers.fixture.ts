/** Two servers' enrolments on one real store, with a register of nodes in memory, for the tests of this module. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Audit, type AuditEntry, auditMigrations, createAudit } from '@medley/audit'
import { AppError, createIdFactory, systemScope, type TenantScope } from '@medley/kernel'
import { startTestStore, type TestStore } from '@medley/testkit'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { createEnrolment, type Enrolment, enrolmentMigrations, generateNodeKey, type NodeRegister } from './index.ts'
import type { JoinRequest } from './protocol.ts'

export const FROM = '192.0.2.7'
export const HOUR_MS = 3_600_000
export const system = systemScope('test')

/** What a test may turn; as it was before the next one. */
export const turn = {
  skewMs: 0,
  brokenRegister: null as Error | null,
  /** What happens elsewhere while the register of nodes is at work. */
  meanwhile: null as ((nodeId: string) => Promise<void>) | null,
}

export let test: TestStore
export let audit: Audit
export let here: Enrolment
/** A second server process on the same store, as far as the store can tell. */
export let there: Enrolment
export const logged: unknown[] = []
export const registered = new Map<string, { nodeId: string; tenantId: string | null; simulated: boolean }>()

const clock = { now: () => Date.now() + turn.skewMs }
const random = (size: number) => new Uint8Array(randomBytes(size))
const ids = createIdFactory(clock, random)
const nodes: NodeRegister = {
  async enrol({ nodeKey, tenantId, simulated }) {
    if (turn.brokenRegister !== null) throw turn.brokenRegister
    const known = registered.get(nodeKey)
    const node = known ?? { nodeId: ids.next('node'), tenantId, simulated }
    registered.set(nodeKey, node)
    await turn.meanwhile?.(node.nodeId)
    return { nodeId: node.nodeId, isNew: known === undefined }
  },
}

export function open(): Enrolment {
  const { publicKey } = generateKeyPairSync('ed25519')
  const instance = { id: 'inst_test', publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
  const log = (...said: unknown[]) => logged.push(said)
  const ports = { store: test.store, audit, nodes, ids, clock, randomBytes: random, instance, log }
  return createEnrolment({ ...ports, pepper: 'pepper-of-the-test', pollMs: 200 })
}

/** Registers the hooks of one test file. */
export function useTwoServers(): void {
  beforeAll(async () => {
    test = await startTestStore(auditMigrations, enrolmentMigrations)
    audit = createAudit({ store: test.store, ids, clock })
    here = open()
    there = open()
  }, 120_000)
  beforeEach(() => {
    Object.assign(turn, { skewMs: 0, brokenRegister: null, meanwhile: null })
  })
  afterAll(async () => {
    here?.close()
    there?.close()
    await test?.close()
  })
}

export function tenant(): TenantScope {
  return { kind: 'tenant', tenantId: ids.next('tenant'), projectId: null, actor: { kind: 'user', id: 'user_op' } }
}

export function request(fields: Partial<JoinRequest> = {}): JoinRequest {
  return {
    nodeKey: `key-${ids.next('node')}`,
    hostname: 'rack1-07',
    publicKey: generateNodeKey().publicKey,
    agentVersion: '0.1.0',
    simulated: false,
    ...fields,
  }
}

/** `done`, or the code of the refusal. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
}

export async function audited(scope: TenantScope, action: string): Promise<readonly AuditEntry[]> {
  return await audit.list(scope, { after: null, limit: 1_000, action })
}
