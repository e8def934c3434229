import { request } from './client.ts'
import type { Page } from './types.ts'

const exportPageSize = 500
/** What a spreadsheet and a browser take without trouble. */
export const exportLimit = 50_000

/** An address with the given members as its query; those that are undefined or empty are left out. */
export function pathWith(path: string, query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

/** All rows of a list, page by page, at most {@link exportLimit}. @throws ApiProblem */
export async function collectPages<Item>(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  onProgress: (rows: number) => void,
): Promise<readonly Item[]> {
  const rows: Item[] = []
  let cursor: string | undefined
  do {
    const page: Page<Item> = await request<Page<Item>>(pathWith(path, { ...query, cursor, limit: exportPageSize }))
    rows.push(...page.items)
    onProgress(rows.length)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined && rows.length < exportLimit)
  return rows.slice(0, exportLimit)
}
