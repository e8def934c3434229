import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  readonly timeoutMs?: number
  readonly intervalMs?: number
}

/**
 * Polls until `probe` returns something truthy, and returns it. Errors of the probe count as "not yet".
 *
 * @throws {Error} after `timeoutMs` (30 s: the machine may be busy), with the probe's last error as cause.
 */
export async function waitFor<Result>(
  what: string,
  probe: () => Result | Promise<Result>,
  { timeoutMs = 30_000, intervalMs = 25 }: Patience = {},
): Promise<NonNullable<Exclude<Result, false>>> {
  const deadline = Date.now() + timeoutMs
  for (let cause: unknown = null; ; ) {
    try {
      const result = await probe()
      if (result) return result as NonNullable<Exclude<Result, false>>
    } catch (error) {
      cause = error
    }
    if (Date.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await delay(intervalMs)
  }
}
