import { searchOf } from '../../shared/search.ts'

/** `group`: rack or vendor; `state`: states to point out, parted by commas; `simulated`: `true` or `false` alone. */
export const fleetSearch = searchOf('group', 'vendor', 'state', 'simulated')
export type FleetSearch = ReturnType<typeof fleetSearch>
