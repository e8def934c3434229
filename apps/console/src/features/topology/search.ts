import { searchOf } from '../../shared/search.ts'

/** `node`: whose inner links are shown beside the tree. */
export const topologySearch = searchOf('node', 'q')
export type TopologySearch = ReturnType<typeof topologySearch>
