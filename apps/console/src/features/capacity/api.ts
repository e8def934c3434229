import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import { pathWith } from '../../shared/api/pages.ts'
import type { Capacity, CapacityPoint, Page } from '../../shared/api/types.ts'
import { days, type Range } from './search.ts'

export const capacityQuery = (dtype: string | undefined) =>
  queryOptions({
    queryKey: ['capacity', 'now', dtype ?? ''],
    queryFn: ({ signal }) => request<Capacity>(pathWith('/api/v1/capacity', { dtype }), { signal }),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  })

export const historyQuery = (dtype: string | undefined, range: Range) =>
  queryOptions({
    queryKey: ['capacity', 'history', dtype ?? '', range],
    queryFn: ({ signal }) => {
      const to = new Date()
      const from = new Date(to.getTime() - days[range] * 86_400_000)
      const path = pathWith('/api/v1/capacity/history', { dtype, from: from.toISOString(), to: to.toISOString() })
      return request<Page<CapacityPoint>>(path, { signal })
    },
    refetchInterval: 300_000,
    placeholderData: keepPreviousData,
  })
