import { CHIP_METRICS } from '@medley/monitoring/protocol'
import { createSealer } from './adapters/sealed.ts'
import type { AlertingTables } from './adapters/tables.ts'
import { createAlerts } from './alerts.ts'
import { createChannels } from './channels.ts'
import type { Context } from './context.ts'
import { deliver } from './delivery.ts'
import type { Wording } from './domain/wording.ts'
import { createEvaluation } from './evaluation.ts'
import type { Alerting, AlertingPorts } from './ports.ts'
import { createRules, seedRules } from './rules.ts'

const TICK_MS = 1_000
/** About a quarter of a gigabyte with their deliveries, however badly a fleet flaps. */
const MOST_RESOLVED = 100_000

/**
 * Seeds the built-in rules and reads where every rule stands. One process at a time should evaluate; any number may
 * deliver.
 *
 * @throws {Error} where the instance's secret is shorter than 32 bytes.
 * @throws {RangeError} where there is no such time zone.
 */
export async function createAlerting(ports: AlertingPorts): Promise<Alerting> {
  const { store, ids, clock, secret, log = () => {}, messageIntervalMs = 10_000, gatherMs = 3_000 } = ports
  const { mostResolved = MOST_RESOLVED } = ports
  const database = store.tables<AlertingTables>()
  const sealer = createSealer(secret)
  const wording = wordingOf(ports)
  const context: Context = { database, ids, clock, sealer, wording, log, messageIntervalMs, gatherMs, mostResolved }
  await seedRules(context)
  return {
    ...createRules(context),
    ...createChannels(context),
    ...createAlerts(context),
    ...(await createEvaluation(context)),
    ...createWorker(context),
  }
}

function wordingOf({ evidenceTexts = {}, timeZone }: AlertingPorts): Wording {
  const zone = new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  const metrics = new Map(CHIP_METRICS.map(({ name, title, unit }) => [name, { title, unit }]))
  return { evidence: evidenceTexts, metrics, timeZone: zone }
}

function createWorker(context: Context): Pick<Alerting, 'deliver' | 'start' | 'stop'> {
  let timer: NodeJS.Timeout | null = null
  let current: Promise<unknown> = Promise.resolve()

  function schedule(): void {
    timer = setTimeout(() => {
      current = deliver(context)
        .catch((error) => context.log('alert messages could not be looked for', { error: String(error) }))
        .finally(() => {
          if (timer !== null) schedule()
        })
    }, TICK_MS)
    timer.unref()
  }
  return {
    deliver: () => deliver(context),
    start() {
      if (timer === null) schedule()
    },
    async stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      await current
    },
  }
}
