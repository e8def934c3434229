import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from './api/queries.ts'

/** Whether the reader's role may do it; the server checks again, this only spares a button that would be refused. */
export function useMay(permission: string): boolean {
  return useQuery(sessionQuery).data?.permissions.includes(permission) ?? false
}
