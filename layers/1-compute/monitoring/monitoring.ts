import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '@medley/kernel'
import type { Store } from '@medley/store'
import { CATALOGUE_QUANTA, createLayouts, type KnownLayout } from './adapters/catalogue.ts'
import { compact } from './adapters/compactor.ts'
import { expose } from './adapters/expose.ts'
import { gaps, series } from './adapters/history.ts'
import { createLatest } from './adapters/latest.ts'
import { loadMemory } from './adapters/load.ts'
import { createNodes, takeSkew } from './adapters/nodes.ts'
import { createPartitions } from './adapters/partitions.ts'
import { footprint, retain } from './adapters/retention.ts'
import { MOST_AHEAD_MS } from './adapters/store-samples.ts'
import type { MonitoringTables } from './adapters/tables.ts'
import { DAY_MS } from './adapters/tables.ts'
import { createWriter } from './adapters/writer.ts'
import { ByteWriter } from './domain/bytes.ts'
import { encodeSample } from './domain/sample-code.ts'
import type { Monitoring } from './ports.ts'
import type { NodeSample } from './protocol.ts'

export interface MonitoringPorts {
  readonly store: Store
  readonly clock: Clock
  /** How long the first sample of a group waits for others before all are committed; 400 ms when left out. */
  readonly gatherMs?: number
  readonly log?: (message: string, error: unknown) => void
}

export function createMonitoring({ store, clock, gatherMs = 400, log }: MonitoringPorts): Monitoring {
  const database = store.tables<MonitoringTables>()
  const nodes = createNodes()
  const layouts = createLayouts()
  const latest = createLatest()
  const partitions = createPartitions(database)
  const writer = createWriter({ database, clock, nodes, layouts, partitions, gatherMs })
  const damaged = (error: unknown) => log?.('stored readings are damaged and left out', error)
  const history = { database, nodes, layouts, damaged }
  const bytes = new ByteWriter()

  let loading: Promise<void> | null = null
  function loaded(): Promise<void> {
    loading ??= loadMemory(database, { nodes, layouts, latest }).catch((error: unknown) => {
      // The next one who needs it tries again.
      loading = null
      throw error
    })
    return loading
  }
  // Begun at once, so that the newest readings are there soon after a restart.
  loaded().catch((error: unknown) => log?.('the newest readings are not loaded yet', error))

  function takeLatest(nodeId: string, layout: KnownLayout, atMs: number, { values }: NodeSample): void {
    layout.chips.forEach((uuid, chip) => {
      const row = values[chip]
      latest.take(uuid, nodeId, atMs, (metric) => {
        const column = layout.columns[layout.metrics.indexOf(metric)]
        return column === undefined ? null : (row?.[column] ?? null)
      })
    })
  }

  let compacting: Promise<{ hours: number; days: number }> | null = null
  return {
    async ingest(batch) {
      if (batch.samples.length === 0 && batch.gaps.length === 0) return
      await loaded()
      const node = nodes.of(batch.nodeId)
      node.intervalMs = Math.max(Math.round(batch.intervalMs), 1)
      takeSkew(node, batch.skewMs, clock.now())
      const layout = layouts.of(batch.layout)
      const corrected = (ms: number) => Math.max(Math.round(ms - node.skewMs), 0)
      const timesMs = batch.samples.map(({ atMs }) => corrected(atMs))
      const payloads = batch.samples.map((sample) => encode(sample, layout, bytes))
      const newest = newestOf(timesMs, clock.now() + MOST_AHEAD_MS)
      const sample = batch.samples[newest]
      if (sample) takeLatest(batch.nodeId, layout, timesMs[newest] ?? 0, sample)
      const told = batch.gaps.map((gap) => ({ ...gap, fromMs: corrected(gap.fromMs), toMs: corrected(gap.toMs) }))
      await writer.write({ node, layout, timesMs, payloads, gaps: told })
    },
    latest: (chipUuid) => latest.reading(chipUuid),
    async series(query) {
      await loaded()
      return await series(history, query, clock.now())
    },
    async gaps({ nodeId, fromMs, toMs }) {
      await loaded()
      const node = nodes.find(nodeId)
      return node ? await gaps(history, node, fromMs, toMs, clock.now()) : []
    },
    compact(nowMs) {
      // Two at a time would only wait for each other.
      compacting ??= compact({ database, layouts, partitions, damaged }, nowMs).finally(() => {
        compacting = null
      })
      return compacting
    },
    async retain(nowMs) {
      latest.forget(nowMs - DAY_MS)
      await retain(database, partitions, nowMs)
    },
    exposition: (labelsOf) => expose(latest, nodes, clock.now(), labelsOf, nextTurn),
    footprint: () => footprint(database),
    async close() {
      await writer.close()
      await loading?.catch(() => undefined)
      await compacting?.catch(() => undefined)
    },
  }
}

/** Place of the newest that is not out of reach, -1 where there is none. */
function newestOf(timesMs: readonly number[], aheadMs: number): number {
  return timesMs.reduce((best, atMs, index) => (atMs <= aheadMs && atMs >= (timesMs[best] ?? 0) ? index : best), -1)
}

function encode({ values }: NodeSample, layout: KnownLayout, writer: ByteWriter): Uint8Array {
  const chips = layout.chips.length
  const codes = new Float64Array(chips * layout.metrics.length)
  layout.metrics.forEach((metric, place) => {
    const quantum = CATALOGUE_QUANTA[metric]
    const column = layout.columns[place] ?? -1
    for (let chip = 0; chip < chips; chip += 1) {
      codes[place * chips + chip] = quantum?.toCode(values[chip]?.[column] ?? null) ?? Number.NaN
    }
  })
  return encodeSample(codes, { chips, metrics: layout.metrics.length }, writer)
}
