import { serverErrors } from '../errors.ts'

/** Why a connection is refused or ended, as the agent is told: codes of the one table of errors. */
export const refusals = {
  version: serverErrors['channel.version']().code,
  stranger: serverErrors['channel.stranger']().code,
  revoked: serverErrors['channel.revoked']().code,
  inUse: serverErrors['channel.in-use']().code,
  replaced: serverErrors['channel.replaced']().code,
  broken: serverErrors['channel.broken-frame']().code,
  late: serverErrors['channel.late']().code,
  stopping: serverErrors['channel.stopping']().code,
  noLayout: serverErrors['channel.no-layout']().code,
} as const

const FINAL: ReadonlySet<string> = new Set([refusals.version, refusals.stranger, refusals.revoked])

/** Whether dialling again cannot help. */
export function isFinal(refusal: string): boolean {
  return FINAL.has(refusal)
}
