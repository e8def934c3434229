import { searchOf } from '../../shared/search.ts'

export const nodesSearch = searchOf('q', 'join')
export const nodeSearch = searchOf('view')
