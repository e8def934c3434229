import { searchOf } from '../../shared/search.ts'

export const auditSearch = searchOf('action', 'subject', 'outcome', 'days')
export type AuditSearch = ReturnType<typeof auditSearch>
