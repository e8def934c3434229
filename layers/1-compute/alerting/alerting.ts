import type { Alerting, AlertingPorts } from './ports.ts'

/** Stands in until the parts below it are there. */
export async function createAlerting(_ports: AlertingPorts): Promise<Alerting> {
  throw new Error('alerting is not built yet')
}
