export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { Counter, createMetricsRegistry, Gauge, Histogram, type Registry } from './metrics.ts'
