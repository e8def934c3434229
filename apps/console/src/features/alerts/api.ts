import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { Alert, AlertChannel, AlertRule, NewAlertChannel, NewAlertRule, Page } from '../../shared/api/types.ts'

export const rulesQuery = queryOptions({
  queryKey: ['alerts', 'rules'],
  queryFn: ({ signal }) => request<Page<AlertRule>>('/api/v1/alert-rules', { signal }),
})

export const channelsQuery = queryOptions({
  queryKey: ['alerts', 'channels'],
  queryFn: ({ signal }) => request<Page<AlertChannel>>('/api/v1/alert-channels', { signal }),
})

const one = (list: string, id: string) => `/api/v1/${list}/${encodeURIComponent(id)}`

export const acknowledge = (id: string, note: string) =>
  request<Alert>(`${one('alerts', id)}/acknowledge`, { method: 'POST', body: { note } })
export const createRule = (body: NewAlertRule) => request<AlertRule>('/api/v1/alert-rules', { method: 'POST', body })
export const changeRule = (id: string, body: Partial<NewAlertRule>) =>
  request<AlertRule>(one('alert-rules', id), { method: 'PATCH', body })
export const deleteRule = (id: string) => request<unknown>(one('alert-rules', id), { method: 'DELETE' })
export const createChannel = (body: NewAlertChannel) =>
  request<AlertChannel>('/api/v1/alert-channels', { method: 'POST', body })
export const deleteChannel = (id: string) => request<unknown>(one('alert-channels', id), { method: 'DELETE' })
/** What the far side said to one message that says it is a test. */
export const testChannel = (id: string) =>
  request<{ readonly ok: boolean; readonly error: string | null }>(`${one('alert-channels', id)}/test`, {
    method: 'POST',
    body: {},
  })
