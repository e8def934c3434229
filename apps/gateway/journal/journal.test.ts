import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UsageRecord } from '@medley/supply/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeEntry, interruptedRecord, journalLines, parseEntry, type RequestStart } from './entry.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { listSegments, replay, segmentPath } from './segments.ts'
import { readShipped, Shipper } from './shipper.ts'

function startOf(requestId: string): RequestStart {
  return {
    requestId,
    tenantId: 'tenant_1',
    projectId: 'project_1',
    keyId: 'key_1',
    endpoint: '/v1/chat/completions',
    model: '模型\n"é',
    revisionId: null,
    replicaId: null,
    chipUuids: ['cpu-0'],
    stream: true,
    startedAt: 1000,
  }
}

function recordOf(requestId: string): UsageRecord {
  return { ...interruptedRecord(startOf(requestId), 2000), outcome: 'completed', httpStatus: 200, errorCode: null }
}

function recordsIn(directory: string): UsageRecord[] {
  return listSegments(directory).flatMap((number) =>
    [...journalLines(readFileSync(segmentPath(directory, number)))].flatMap(({ json }) => {
      const entry = json === null ? null : parseEntry(json)
      return entry !== null && 'end' in entry ? [entry.end] : []
    }),
  )
}

describe('journal', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'medley-journal-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (overrides: Partial<JournalOptions> = {}) =>
    Journal.open({
      directory,
      segmentBytes: 8 * 1024 * 1024,
      syncDelayMs: 5,
      lockWaitMs: 0,
      lastKnownSegment: () => readShipped(overrides.directory ?? directory).segment,
      clock: { now: () => 5000 },
      log: () => {},
      ...overrides,
    })

  const shipInto = (received: UsageRecord[], journal: Journal, deliver?: () => void) =>
    new Shipper({
      directory,
      journal,
      delayMs: 0,
      log: () => {},
      deliver: async (body) => {
        deliver?.()
        received.push(...(JSON.parse(body) as { records: UsageRecord[] }).records)
      },
    })

  it('gives a request that began and never ended an interrupted record, once', async () => {
    const first = await open()
    first.begin(startOf('req_1'))
    first.begin(startOf('req_2'))
    first.end(recordOf('req_1'))
    first.close()
    for (let restart = 0; restart < 3; restart += 1) (await open()).close()
    expect(recordsIn(directory)).toEqual([recordOf('req_1'), interruptedRecord(startOf('req_2'), 5000)])
  })

  it('keeps the newest of several beginnings of one request', async () => {
    const first = await open()
    first.begin(startOf('req_1'))
    first.begin({ ...startOf('req_1'), replicaId: 'replica_2' })
    first.close()
    ;(await open()).close()
    expect(recordsIn(directory)).toMatchObject([{ requestId: 'req_1', replicaId: 'replica_2' }])
  })

  it('loses no whole entry and doubles none, wherever the last segment is cut', async () => {
    type Step = { kind: 'begin' | 'end'; request: number }
    const steps = fc.array(fc.record<Step>({ kind: fc.constantFrom('begin', 'end'), request: fc.nat(5) }), {
      minLength: 1,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.constantFrom(1, 700, 1_000_000), async (script, place, segmentBytes) => {
        const work = mkdtempSync(join(directory, 'run-'))
        const journal = await open({ directory: work, segmentBytes })
        const ended = new Set<string>()
        for (const { kind, request } of script) {
          const id = `req_${request}`
          if (ended.has(id)) continue
          if (kind === 'begin') journal.begin(startOf(id))
          else journal.end(recordOf(id))
          if (kind === 'end') ended.add(id)
        }
        journal.close()
        const last = segmentPath(work, listSegments(work).at(-1) ?? 0)
        const bytes = readFileSync(last)
        const cut = place % (bytes.length + 1)
        truncateSync(last, cut)
        const whole = recordsIn(work).map(({ requestId }) => requestId)
        const begun = replay(work).open.map(({ requestId }) => requestId)

        ;(await open({ directory: work, segmentBytes })).close()
        const after = recordsIn(work)
        const ids = after.map(({ requestId }) => requestId)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.slice(0, whole.length)).toEqual(whole)
        expect(new Set(ids)).toEqual(new Set([...whole, ...begun]))
        expect(after.filter(({ outcome }) => outcome === 'interrupted')).toHaveLength(begun.length)
        expect(replay(work)).toEqual({ open: [], damagedLines: 0 })
        rmSync(work, { recursive: true })
      }),
      { numRuns: 150 },
    )
  })

  it('cuts the torn tail off', async () => {
    const journal = await open()
    journal.end(recordOf('req_1'))
    const { segment, bytes } = journal.position
    journal.close()
    writeFileSync(segmentPath(directory, segment), encodeEntry({ end: recordOf('req_2') }).slice(0, 40), { flag: 'a' })
    expect(replay(directory)).toEqual({ open: [], damagedLines: 1 })
    expect(readFileSync(segmentPath(directory, segment))).toHaveLength(bytes)
  })

  it('loses to a damaged byte only the entry it is in', async () => {
    const journal = await open()
    for (const id of ['req_1', 'req_2', 'req_3']) journal.end(recordOf(id))
    const path = segmentPath(directory, journal.position.segment)
    journal.close()
    const bytes = readFileSync(path)
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
    expect(recordsIn(directory).map(({ requestId }) => requestId)).toEqual(['req_1', 'req_3'])
  })

  it('delivers everything once, in order, over segments, and then deletes them', async () => {
    const journal = await open({ segmentBytes: 2000 })
    const received: UsageRecord[] = []
    const shipper = shipInto(received, journal)
    journal.onRecord = () => shipper.wake()
    shipper.start()
    const ids = Array.from({ length: 100 }, (_, index) => `req_${index}`)
    for (const id of ids) {
      journal.begin(startOf(id))
      if (id === 'req_50') await new Promise((resolve) => setTimeout(resolve, 30))
      journal.end(recordOf(id))
    }
    await shipper.stop(10_000)
    expect(received.map(({ requestId }) => requestId)).toEqual(ids)
    expect(listSegments(directory)).toEqual([journal.position.segment])
    journal.close()
  })

  it('keeps an open beginning although its segment was delivered and deleted', async () => {
    const journal = await open({ segmentBytes: 500 })
    const shipper = shipInto([], journal)
    shipper.start()
    journal.begin(startOf('req_long'))
    for (let index = 0; index < 10; index += 1) journal.end(recordOf(`req_${index}`))
    await shipper.stop(10_000)
    journal.close()
    expect(listSegments(directory)[0]).toBeGreaterThan(1)
    ;(await open()).close()
    expect(recordsIn(directory).at(-1)).toMatchObject({ requestId: 'req_long', outcome: 'interrupted' })
  })

  it('delivers on after a refusal and after a restart, without a gap', async () => {
    const first = await open({ segmentBytes: 3000 })
    for (let index = 0; index < 20; index += 1) first.end(recordOf(`req_${index}`))
    const received: UsageRecord[] = []
    let refusals = 2
    const stubborn = shipInto(received, first, () => {
      if (refusals > 0) {
        refusals -= 1
        throw new Error('not now')
      }
    })
    stubborn.start()
    await expect.poll(() => received.length, { timeout: 10_000 }).toBeGreaterThan(0)
    await stubborn.stop(0)
    first.close()
    const second = await open()
    second.end(recordOf('req_20'))
    const next = shipInto(received, second)
    next.start()
    await next.stop(10_000)
    second.close()
    const ids = received.map(({ requestId }) => requestId)
    expect([...new Set(ids)]).toEqual(Array.from({ length: 21 }, (_, index) => `req_${index}`))
  })

  it('does not take a segment number twice when the delivered ones are gone', async () => {
    const first = await open()
    first.end(recordOf('req_1'))
    const shipper = shipInto([], first)
    shipper.start()
    await shipper.stop(10_000)
    const { segment } = first.position
    first.close()
    rmSync(segmentPath(directory, segment))
    const second = await open()
    second.end(recordOf('req_2'))
    expect(second.position.segment).toBeGreaterThan(segment)
    const received: UsageRecord[] = []
    const next = shipInto(received, second)
    next.start()
    await next.stop(10_000)
    second.close()
    expect(received.map(({ requestId }) => requestId)).toEqual(['req_2'])
  })

  it('refuses what it cannot write, keeps what had begun, and writes it when it can', async () => {
    const journal = await open()
    journal.begin(startOf('req_1'))
    const aside = `${directory}.aside`
    // With a rotation due and its directory gone, the next entry has nowhere to go.
    const tight = await open({ directory: aside, segmentBytes: 1 })
    tight.begin(startOf('req_2'))
    cpSync(aside, `${aside}.kept`, { recursive: true })
    rmSync(aside, { recursive: true })
    expect(tight.end(recordOf('req_2'))).toBe(false)
    expect(tight.begin(startOf('req_3'))).toBe(false)
    expect(tight.healthy).toBe(false)
    mkdirSync(aside)
    expect(tight.begin(startOf('req_4'))).toBe(true)
    expect(tight.healthy).toBe(true)
    expect(recordsIn(aside)).toEqual([recordOf('req_2')])
    tight.close()
    journal.close()
    rmSync(aside, { recursive: true })
    rmSync(`${aside}.kept`, { recursive: true })
  })

  it('is held by one process at a time, and taken over from a dead one', async () => {
    const holder = await open()
    await expect(open()).rejects.toThrow(`in use by process ${process.pid}`)
    holder.close()
    writeFileSync(join(directory, 'lock'), '999999999 1 dead\n')
    const heir = await open()
    heir.close()
    // The number of a dead process may belong to a living one by now: its start time then differs.
    writeFileSync(join(directory, 'lock'), `${process.pid} 1 reused\n`)
    const next = await open()
    next.close()
    expect(readdirSync(directory).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  it('waits for a holder that is about to leave', async () => {
    const holder = await open()
    const waiting = open({ lockWaitMs: 10_000 })
    setTimeout(() => holder.close(), 50)
    const heir = await waiting
    expect(heir.position.segment).toBe(2)
    heir.close()
  })
})
