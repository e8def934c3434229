import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import { pathWith } from '../../shared/api/pages.ts'
import type {
  Card,
  CreatedJoinToken,
  Gap,
  JoinToken,
  MaintenanceWindow,
  NewJoinToken,
  Node,
  NodeTopology,
  Page,
} from '../../shared/api/types.ts'

const pathOf = (id: string) => `/api/v1/nodes/${encodeURIComponent(id)}`

export const nodeQuery = (id: string) =>
  queryOptions({ queryKey: ['nodes', id], queryFn: ({ signal }) => request<Node>(pathOf(id), { signal }) })

export const cardsQuery = (id: string) =>
  queryOptions({
    queryKey: ['nodes', id, 'cards'],
    queryFn: ({ signal }) => request<Page<Card>>(`${pathOf(id)}/cards`, { signal }),
  })

export const topologyQuery = (id: string) =>
  queryOptions({
    queryKey: ['nodes', id, 'topology'],
    queryFn: ({ signal }) => request<NodeTopology>(`${pathOf(id)}/topology`, { signal }),
  })

/** Times of the last 30 days in which nobody looked at the node. */
export const gapsQuery = (id: string) =>
  queryOptions({
    queryKey: ['nodes', id, 'gaps'],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - 30 * 86_400_000).toISOString()
      return request<Page<Gap>>(pathWith(`${pathOf(id)}/gaps`, { from, to: new Date().toISOString() }), { signal })
    },
  })

export const maintenanceQuery = (nodeId: string) =>
  queryOptions({
    queryKey: ['maintenance', nodeId],
    queryFn: ({ signal }) =>
      request<Page<MaintenanceWindow>>(pathWith('/api/v1/maintenance', { node: nodeId }), { signal }),
  })

export const joinTokensQuery = queryOptions({
  queryKey: ['join-tokens'],
  queryFn: ({ signal }) => request<Page<JoinToken>>('/api/v1/join-tokens', { signal }),
})

export type NodeChange = Partial<Pick<Node, 'labels' | 'taints' | 'place'>>

export const changeNode = (id: string, body: NodeChange) => request<Node>(pathOf(id), { method: 'PATCH', body })
export const cordonNode = (id: string, body: { readonly reason: string; readonly drain: boolean }) =>
  request<Node>(`${pathOf(id)}/cordon`, { method: 'POST', body })
export const uncordonNode = (id: string) => request<Node>(`${pathOf(id)}/uncordon`, { method: 'POST', body: {} })
export const revokeNode = (id: string, reason: string) =>
  request<Node>(`${pathOf(id)}/revoke`, { method: 'POST', body: { reason } })
export const planMaintenance = (id: string, body: Pick<MaintenanceWindow, 'startsAt' | 'endsAt' | 'reason'>) =>
  request<MaintenanceWindow>(`${pathOf(id)}/maintenance`, { method: 'POST', body })
export const cancelMaintenance = (id: string) =>
  request<unknown>(`/api/v1/maintenance/${encodeURIComponent(id)}`, { method: 'DELETE' })
export const createJoinToken = (body: NewJoinToken) =>
  request<CreatedJoinToken>('/api/v1/join-tokens', { method: 'POST', body })
export const revokeJoinToken = (id: string) =>
  request<unknown>(`/api/v1/join-tokens/${encodeURIComponent(id)}`, { method: 'DELETE' })
