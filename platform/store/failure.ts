/** Conflicts that PostgreSQL resolves by rolling one side back: the same work may simply be tried again. */
const CONFLICTS = new Set(['40001', '40P01'])

/** The server is not there (yet): refused, no socket file, reset, starting up, shutting down, too many clients. */
const ABSENT = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08003',
  '08006',
  '08001',
  '08004',
])

/** The driver reports a lost connection without a code. */
const LOST_MESSAGE =
  /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect/i

export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** True when the transaction was rolled back for a conflict with another one. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(errorCode(error) ?? '')
}

/** True when the connection or the server was lost, so that nothing is known about the statement in flight. */
export function isConnectionLoss(error: unknown): boolean {
  if (ABSENT.has(errorCode(error) ?? '')) return true
  return error instanceof Error && LOST_MESSAGE.test(error.message)
}
