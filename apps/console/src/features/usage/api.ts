import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { Page, UsageEvent, UsageSummary } from '../../shared/api/types.ts'
import type { UsageSearch } from './search.ts'

const pageSize = 25
const exportPageSize = 500
/** What a spreadsheet and a browser take without trouble. */
export const exportLimit = 50_000

function usagePath(search: UsageSearch, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) })
  for (const [name, value] of Object.entries(search)) query.set(name, String(value))
  return `/api/v1/usage?${query}`
}

export const usageQuery = (search: UsageSearch) =>
  queryOptions({
    queryKey: ['usage', 'rows', search],
    queryFn: ({ signal }) => request<Page<UsageEvent>>(usagePath(search, pageSize), { signal }),
  })

export const summaryQuery = (groupBy: 'model' | 'day') =>
  queryOptions({
    queryKey: ['usage', 'summary', groupBy],
    queryFn: ({ signal }) => request<UsageSummary>(`/api/v1/usage/summary?groupBy=${groupBy}&days=7`, { signal }),
  })

/** All rows under the filters, page by page, at most {@link exportLimit}. */
export async function collectUsage(
  filters: Omit<UsageSearch, 'cursor'>,
  onProgress: (rows: number) => void,
): Promise<readonly UsageEvent[]> {
  const rows: UsageEvent[] = []
  let cursor: string | null = null
  do {
    const search: UsageSearch = cursor === null ? filters : { ...filters, cursor }
    const page: Page<UsageEvent> = await request<Page<UsageEvent>>(usagePath(search, exportPageSize))
    rows.push(...page.items)
    onProgress(rows.length)
    cursor = page.nextCursor
  } while (cursor !== null && rows.length < exportLimit)
  return rows.slice(0, exportLimit)
}
