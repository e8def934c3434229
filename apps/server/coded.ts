import { AppError, type ErrorParams } from '@medley/kernel'

/** What is kept of a failure that is told later, in the language of who reads it then. */
export function codedOf(error: unknown): { code: string; params: Record<string, string> } {
  if (!(error instanceof AppError)) return { code: 'server.unexpected', params: { detail: String(error) } }
  const params = Object.entries(error.params satisfies ErrorParams).map(([key, value]) => [key, String(value)])
  return {
    code: error.code,
    params: { ...Object.fromEntries(params), ...(error.detail ? { detail: error.detail } : {}) },
  }
}
