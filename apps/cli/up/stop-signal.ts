import { setTimeout as sleep } from 'node:timers/promises'

export interface StopSignal {
  readonly signal: AbortSignal
  /** Resolves when somebody has asked to stop. */
  readonly promise: Promise<void>
  /** Whoever still waits for the signal would keep this process alive. */
  forget(): void
}

/** Ctrl-C and its kin. */
export function stopSignal(): StopSignal {
  const controller = new AbortController()
  let asked = 0
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      asked += 1
      controller.abort()
      // Asked three times, a person means it: the children notice the loss of their parent and go by themselves.
      if (asked >= 3) process.exit(130)
    })
  }
  return { signal: controller.signal, promise: aborted(controller.signal), forget: () => controller.abort() }
}

export async function aborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(3_600_000, undefined, { signal }).catch(() => {})
  }
}
