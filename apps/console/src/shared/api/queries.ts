/** Queries more than two features read. The first part of a key is the topic that `/api/v1/events` names. */
import { queryOptions } from '@tanstack/react-query'
import { request } from './client.ts'
import type { Chip, Deployment, Model, Page, Session, Status } from './types.ts'

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => request<Session>('/api/v1/session', { signal }),
  staleTime: 60_000,
  retry: false,
})

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => request<Status>('/api/v1/status', { signal }),
  // Events say when to look again; while starting, progress moves faster than events need to be sent.
  refetchInterval: (query) => (query.state.data?.ready === true ? 30_000 : 2_000),
})

export const chipsQuery = queryOptions({
  queryKey: ['chips'],
  queryFn: ({ signal }) => request<Page<Chip>>('/api/v1/chips', { signal }),
})

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => request<Page<Model>>('/api/v1/models', { signal }),
})

export const deploymentsQuery = queryOptions({
  queryKey: ['deployments'],
  queryFn: ({ signal }) => request<Page<Deployment>>('/api/v1/deployments', { signal }),
})
