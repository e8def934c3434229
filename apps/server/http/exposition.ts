import type { FleetCell } from '@medley/fleet'
import type { ChipLabels } from '@medley/monitoring'
import type { Handler } from 'hono'
import { stream } from 'hono/streaming'
import type { Factory } from '../factory.ts'

/** The process's own metrics, then the chips'; in pieces, since ten thousand chips are some tens of megabytes of text. */
export function exposition(factory: Factory): Handler {
  return async (context) => {
    const own = await factory.metrics.metrics()
    const { byUuid } = await factory.index.picture()
    const labelsOf = (uuid: string) => {
      const cell = byUuid.get(uuid)
      return cell ? chipLabels(cell) : null
    }
    context.header('content-type', factory.metrics.contentType)
    return stream(context, async (out) => {
      await out.write(own.endsWith('\n') ? own : `${own}\n`)
      for await (const piece of factory.monitoring.exposition(labelsOf)) {
        if (out.aborted) return
        await out.write(piece)
      }
    })
  }
}

/** What names a chip on `/metrics` and to a collector. */
export function chipLabels(cell: FleetCell): ChipLabels {
  return {
    vendor: cell.vendor,
    product: cell.product,
    chip: cell.uuid,
    index: cell.index === null ? '' : String(cell.index),
    node: cell.nodeName,
    rack: cell.rack ?? '',
    simulated: cell.simulated ? 'true' : 'false',
  }
}
