import { stat } from 'node:fs/promises'

export interface OrphanWatchOptions {
  /** The agent touches it every few seconds. */
  readonly heartbeatFile: string
  /** Older than this means that no agent will come back for us. */
  readonly staleMs: number
  readonly everyMs: number
  readonly onOrphaned: () => void
}

/**
 * Tells when nobody minds this process any more. An engine outlives its agent so that a restart costs no answers, but
 * without any agent it would hold its memory for ever. Two looks in a row must agree: a machine that wakes from sleep
 * has an old file for a moment.
 *
 * @returns Ends the watch.
 */
export function watchForOrphanage({ heartbeatFile, staleMs, everyMs, onOrphaned }: OrphanWatchOptions): () => void {
  let lastBeat = Date.now()
  let staleLooks = 0
  const look = async (): Promise<void> => {
    // A file that is gone counts from when it was last seen.
    lastBeat = await stat(heartbeatFile).then(
      (file) => file.mtimeMs,
      () => lastBeat,
    )
    staleLooks = Date.now() - lastBeat > staleMs ? staleLooks + 1 : 0
    if (staleLooks === 2) onOrphaned()
  }
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
