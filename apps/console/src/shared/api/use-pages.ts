import { type UseQueryResult, useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { request } from './client.ts'
import { pathWith } from './pages.ts'
import type { Page } from './types.ts'

export interface Pages<Item> {
  readonly rows: readonly Item[]
  /** Brings the next page; null while there is none or it is on its way. */
  readonly more: (() => void) | null
  readonly isLoadingMore: boolean
  /** For {@link QueryView}: state of the first page. */
  readonly query: UseQueryResult<unknown>
}

/** A list that grows page by page; a live update looks again at the pages that are loaded. */
export function usePages<Item>(
  key: readonly unknown[],
  path: string,
  filters: Readonly<Record<string, string | undefined>>,
  limit = 100,
): Pages<Item> {
  const query = useInfiniteQuery({
    queryKey: [...key, filters],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      request<Page<Item>>(pathWith(path, { ...filters, limit, cursor: pageParam }), { signal }),
    getNextPageParam: (page) => page.nextCursor,
  })
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  const canLoad = query.hasNextPage && !query.isFetchingNextPage
  return {
    rows,
    more: canLoad ? () => void query.fetchNextPage() : null,
    isLoadingMore: query.isFetchingNextPage,
    query: query as UseQueryResult<unknown>,
  }
}
