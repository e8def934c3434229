import { queryOptions } from '@tanstack/react-query'
import { request } from '../../shared/api/client.ts'
import type { Vendor } from '../../shared/api/types.ts'

export type Sheet = Vendor['sheets'][number]

export const vendorQuery = (name: string) =>
  queryOptions({
    queryKey: ['vendors', name],
    queryFn: ({ signal }) => request<Vendor>(`/api/v1/vendors/${encodeURIComponent(name)}`, { signal }),
  })

const sheetPath = (vendor: string, product: string) =>
  `/api/v1/vendors/${encodeURIComponent(vendor)}/sheets/${encodeURIComponent(product)}`

export const saveSheet = (vendor: string, { product, overridden: _, ...body }: Sheet) =>
  request<unknown>(sheetPath(vendor, product), { method: 'PUT', body })
export const resetSheet = (vendor: string, product: string) =>
  request<unknown>(sheetPath(vendor, product), { method: 'DELETE' })
