import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { ApiKey, CreatedApiKey, Page } from '../../shared/api/types.ts'

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => request<Page<ApiKey>>('/api/v1/keys', { signal }),
})

export interface NewKey {
  readonly name: string
  readonly expiresAt?: string
}

export function createKey(key: NewKey): Promise<CreatedApiKey> {
  return request<CreatedApiKey>('/api/v1/keys', { method: 'POST', body: key })
}

export function revokeKey(id: string): Promise<unknown> {
  return request<unknown>(`/api/v1/keys/${encodeURIComponent(id)}`, { method: 'DELETE' })
}
