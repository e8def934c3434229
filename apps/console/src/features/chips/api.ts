import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import { pathWith } from '../../shared/api/pages.ts'
import type { Chip, Operation, Page, ProvingRecord, Series } from '../../shared/api/types.ts'
import { type Range, ranges } from './series.ts'

export const chipQuery = (id: string) =>
  queryOptions({
    queryKey: ['chips', id],
    queryFn: ({ signal }) => request<Chip>(`/api/v1/chips/${encodeURIComponent(id)}`, { signal }),
  })

export const recordsQuery = (chipUuid: string) =>
  queryOptions({
    queryKey: ['proving', 'records', chipUuid],
    queryFn: ({ signal }) =>
      request<Page<ProvingRecord>>(`/api/v1/proving/records?chip=${encodeURIComponent(chipUuid)}`, { signal }),
  })

export const recordQuery = (id: string) =>
  queryOptions({
    queryKey: ['proving', 'record', id],
    queryFn: ({ signal }) => request<ProvingRecord>(`/api/v1/proving/records/${encodeURIComponent(id)}`, { signal }),
  })

export const operationQuery = (id: string | null) =>
  queryOptions({
    queryKey: ['operations', id],
    queryFn: ({ signal }) => request<Operation>(`/api/v1/operations/${encodeURIComponent(id ?? '')}`, { signal }),
    enabled: id !== null,
    refetchInterval: (query) =>
      query.state.data?.state === 'running' || query.state.data === undefined ? 1_000 : false,
  })

export function startProving(chipId: string): Promise<Operation> {
  return request<Operation>('/api/v1/proving/runs', { method: 'POST', body: { chipId } })
}

export const shownMetrics = ['utilizationRatio', 'memoryUsedBytes', 'temperatureCelsius', 'powerWatts'] as const

export interface Readings {
  readonly fromMs: number
  readonly toMs: number
  readonly series: readonly Series[]
}

export const readingsQuery = (chipId: string, range: Range) =>
  queryOptions({
    queryKey: ['readings', chipId, range],
    queryFn: async ({ signal }): Promise<Readings> => {
      const { seconds, resolution } = ranges[range]
      const toMs = Date.now()
      const fromMs = toMs - seconds * 1000
      const path = pathWith(`/api/v1/chips/${encodeURIComponent(chipId)}/series`, {
        metrics: shownMetrics.join(','),
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        resolution,
      })
      const { items } = await request<{ readonly items: readonly Series[] }>(path, { signal })
      return { fromMs, toMs, series: items }
    },
    // As often as a new point can be there; longer ranges move slower.
    refetchInterval: range === '1h' ? 15_000 : 60_000,
  })

const changeChip = (action: 'quarantine' | 'release' | 'retire' | 'restore') => (id: string, reason: string) =>
  request<Chip>(`/api/v1/chips/${encodeURIComponent(id)}/${action}`, { method: 'POST', body: { reason } })
export const quarantineChip = changeChip('quarantine')
export const releaseChip = changeChip('release')
export const retireChip = changeChip('retire')
export const restoreChip = changeChip('restore')
