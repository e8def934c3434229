import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import { asOfNow } from './standing.ts'

interface FleetMap {
  readonly at: string
  readonly cells: readonly FleetCell[]
}

const refreshMs = 15_000

/** All cells in one answer. Looked at anew as often as agents report, not at each event: it is large. */
export const fleetMapQuery = queryOptions({
  queryKey: ['fleet-map'],
  queryFn: async ({ signal }): Promise<FleetMap> => {
    const { at, cells } = await request<FleetMap>('/api/v1/fleet/map', { signal })
    return { at, cells: cells.map(asOfNow) }
  },
  refetchInterval: refreshMs,
  // Comparing ten thousand old cells with ten thousand new ones costs more than drawing them.
  structuralSharing: false,
})
