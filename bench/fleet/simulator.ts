/**
 * A simulated fleet in a process of its own, so that its cost is not the server's. Told what to do by a JSON argument;
 * sends its progress over IPC and ends when its parent says `stop` or is gone.
 */
import { runSimulatedFleet, simulationPlan } from '@medley/agent'
import { z } from 'zod'

const task = z
  .object({
    serverUrl: z.string(),
    directory: z.string(),
    plan: simulationPlan,
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const stop = new AbortController()
process.on('message', () => stop.abort())
process.on('disconnect', () => stop.abort())

const last = await runSimulatedFleet({
  ...task,
  joinToken: async () => process.env.MEDLEY_JOIN_TOKEN ?? null,
  signal: stop.signal,
  onProgress: (progress) => process.send?.({ ended: false, progress }, () => undefined),
})
process.send?.({ ended: true, progress: last }, () => process.disconnect())
