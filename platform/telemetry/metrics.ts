import { collectDefaultMetrics, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/**
 * A registry of its own per process, with the process's memory, CPU and event-loop figures. Pass it in
 * `registers: [...]` of each metric; the global registry stays unused, so that tests do not meet each other.
 */
export function createMetricsRegistry(processName: string): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ process: processName })
  collectDefaultMetrics({ register: registry })
  return registry
}
