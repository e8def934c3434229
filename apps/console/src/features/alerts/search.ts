import { searchOf } from '../../shared/search.ts'

export const alertsSearch = searchOf('view')
