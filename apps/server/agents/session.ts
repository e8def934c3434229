import type { AgentFrame } from '@medley/enrolment/protocol'
import type { Fleet, FleetCell } from '@medley/fleet'
import { AppError } from '@medley/kernel'
import type { Monitoring } from '@medley/monitoring'
import type { SampleLayout } from '@medley/monitoring/protocol'
import type { WebSocket } from 'ws'
import { codedOf } from '../coded.ts'
import type { Orders } from '../orders.ts'
import { refuse, send } from './frames.ts'
import type { ProvenNode } from './handshake.ts'
import { refusals } from './refusals.ts'
import { createSkew } from './skew.ts'

export interface SessionPorts {
  readonly orders: Pick<Orders, 'absorb' | 'answer'>
  readonly fleet: Pick<Fleet, 'heard'>
  readonly monitoring: Pick<Monitoring, 'ingest'>
  /** The chip as the fleet knows it; `undefined` where it does not yet. */
  readonly cell: (uuid: string) => Pick<FleetCell, 'nodeId'> | undefined
  readonly now: () => number
  /** A request failed for no reason that has a code. */
  readonly onTrouble: (nodeId: string, error: unknown) => void
  /** How often agents are asked to sample, ms. */
  readonly sampleIntervalMs: number
}

/** What a proven node says on its one connection. */
export interface Session {
  take(frame: AgentFrame): void
  close(): void
}

type Report = Extract<AgentFrame, { type: 'report' }>
type Samples = Extract<AgentFrame, { type: 'samples' }>

/** Requests of one node under way, beyond which its connection is not read until some are done. */
const MOST_UNDER_WAY = 16
/** What the fleet answers to a node that is none of its own any more. */
const LOST_NODE: ReadonlySet<string> = new Set(['fleet.node.unknown', 'fleet.node.revoked'])

export function openSession(socket: WebSocket, { nodeId }: ProvenNode, ports: SessionPorts): Session {
  const skew = createSkew()
  let layout: SampleLayout | null = null
  let held = new AbortController()
  /** Reports are taken in the order they came: an older one must not overwrite a newer. */
  let absorbed: Promise<unknown> = Promise.resolve()
  let underWay = 0

  function failed(id: number, error: unknown): void {
    const { code } = codedOf(error)
    if (LOST_NODE.has(code)) return void refuse(socket, code, true)
    if (!(error instanceof AppError)) ports.onTrouble(nodeId, error)
    send(socket, { type: 'failed', id, code })
  }

  async function report({ id, report: seen }: Report): Promise<void> {
    // A newer report calls the older one's waiting off; it is answered at once.
    held.abort()
    held = new AbortController()
    const { signal } = held
    const taken = absorbed.then(() => ports.orders.absorb(nodeId, seen, skew.valueMs))
    absorbed = taken.catch(() => {})
    await taken
    send(socket, { type: 'orders', id, orders: await ports.orders.answer(nodeId, seen, signal) })
  }

  async function samples({ id, nowMs, samples: rows, gaps }: Samples): Promise<void> {
    const skewMs = skew.take(nowMs, ports.now())
    ports.fleet.heard(nodeId, skewMs)
    if (layout === null) return send(socket, { type: 'failed', id, code: refusals.noLayout })
    const intervalMs = ports.sampleIntervalMs
    const own = ownChips(layout, nodeId, ports.cell)
    await ports.monitoring.ingest({ nodeId, layout: own, samples: rows, gaps, skewMs, intervalMs })
    send(socket, { type: 'stored', id })
  }

  function start(id: number, work: Promise<void>): void {
    underWay += 1
    if (underWay >= MOST_UNDER_WAY) socket.pause()
    void work.catch((error: unknown) => failed(id, error)).finally(done)
  }

  function done(): void {
    underWay -= 1
    if (socket.isPaused && underWay < MOST_UNDER_WAY) socket.resume()
  }

  return {
    take(frame) {
      if (frame.type === 'report') start(frame.id, report(frame))
      else if (frame.type === 'samples') start(frame.id, samples(frame))
      else if (frame.type === 'layout') layout = frame.layout
      else refuse(socket, refusals.broken, false)
    },
    close: () => held.abort(),
  }
}

/** Readings of a chip that stands in another node are kept under a name of their own: nobody writes another's. */
function ownChips(layout: SampleLayout, nodeId: string, cell: SessionPorts['cell']): SampleLayout {
  const foreign = (uuid: string) => (cell(uuid)?.nodeId ?? nodeId) !== nodeId
  if (!layout.chips.some(foreign)) return layout
  return { ...layout, chips: layout.chips.map((uuid) => (foreign(uuid) ? `${uuid} of ${nodeId}` : uuid)) }
}
