import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { tempDirectory, waitFor } from '@medley/testkit'
import { describe, expect, it } from 'vitest'
import { watchForOrphanage } from './orphan-watch.ts'

const HOUR_MS = 3_600_000

describe('orphan watch', () => {
  it('speaks up when the heartbeat has stopped, not before', async () => {
    await using directory = await tempDirectory()
    const heartbeatFile = join(directory.path, 'heartbeat')
    await writeFile(heartbeatFile, '')
    let orphaned = false
    let stopped = false
    let early = false
    const stop = watchForOrphanage({
      heartbeatFile,
      staleMs: HOUR_MS,
      everyMs: 5,
      onOrphaned() {
        early = !stopped
        orphaned = true
      },
    })
    await delay(100)
    stopped = true
    const old = new Date(Date.now() - 2 * HOUR_MS)
    await utimes(heartbeatFile, old, old)
    expect(await waitFor('the alarm', () => orphaned)).toBe(true)
    expect(early).toBe(false)
    stop()
  })
})
