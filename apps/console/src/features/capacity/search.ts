import { searchOf } from '../../shared/search.ts'

export const capacitySearch = searchOf('dtype', 'range')
export type CapacitySearch = ReturnType<typeof capacitySearch>

export const days = { '7d': 7, '30d': 30, '90d': 90 } as const
export type Range = keyof typeof days

export function rangeOf(text: string | undefined): Range {
  return text === '30d' || text === '90d' ? text : '7d'
}
