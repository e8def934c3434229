import { searchOf } from '../../shared/search.ts'

/** The server's own filters of the list of chips. */
export const chipsSearch = searchOf('vendor', 'state', 'node', 'rack', 'simulated', 'q')
export type ChipsSearch = ReturnType<typeof chipsSearch>
export const chipSearch = searchOf('range')
