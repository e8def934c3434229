import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { Chip, Operation, Page, ProvingRecord } from '../../shared/api/types.ts'

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
