/** Queries more than two features read. The first part of a key is the topic that `/api/v1/events` names. */
import { queryOptions } from '@tanstack/react-query'
import { request } from './client.ts'
import type {
  Alert,
  Chip,
  Deployment,
  FleetSummary,
  MetricDefinition,
  Model,
  Node,
  Page,
  Session,
  Status,
  Vendor,
} from './types.ts'

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

/** What work can run on: the first chips that are not simulated. */
export const realChipsQuery = queryOptions({
  queryKey: ['chips', 'real'],
  queryFn: ({ signal }) => request<Page<Chip>>('/api/v1/chips?simulated=false&limit=100', { signal }),
})

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: ({ signal }) => request<Page<Model>>('/api/v1/models', { signal }),
})

export const deploymentsQuery = queryOptions({
  queryKey: ['deployments'],
  queryFn: ({ signal }) => request<Page<Deployment>>('/api/v1/deployments', { signal }),
})

/** Counts by vendor and state, made by the store: small for a fleet of any size. */
export const fleetSummaryQuery = queryOptions({
  queryKey: ['fleet', 'summary'],
  queryFn: ({ signal }) => request<FleetSummary>('/api/v1/fleet/summary', { signal }),
})

export const vendorsQuery = queryOptions({
  queryKey: ['vendors'],
  queryFn: ({ signal }) => request<Page<Vendor>>('/api/v1/vendors', { signal }),
  staleTime: 300_000,
})

/** Names and units of readings; they change with the server's version only. */
export const metricsQuery = queryOptions({
  queryKey: ['metrics'],
  queryFn: ({ signal }) => request<Page<MetricDefinition>>('/api/v1/metrics', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
})

/** Nodes by a part of their name, for choosing one. */
export const nodeSearchQuery = (text: string, limit = 20) =>
  queryOptions({
    queryKey: ['nodes', 'search', text, limit],
    queryFn: ({ signal }) =>
      request<Page<Node>>(
        `/api/v1/nodes?${new URLSearchParams({ limit: String(limit), ...(text === '' ? {} : { q: text }) })}`,
        {
          signal,
        },
      ),
  })

/** What fires now; more than a page of it counts as “that many and more”. */
export const firingAlertsQuery = queryOptions({
  queryKey: ['alerts', 'firing'],
  queryFn: ({ signal }) => request<Page<Alert>>('/api/v1/alerts?state=firing&limit=200', { signal }),
})

/** Chips by a part of their product, node, serial number or stable name. */
export const chipSearchQuery = (text: string, limit = 20) =>
  queryOptions({
    queryKey: ['chips', 'search', text, limit],
    queryFn: ({ signal }) =>
      request<Page<Chip>>(`/api/v1/chips?${new URLSearchParams({ limit: String(limit), q: text })}`, { signal }),
  })
