/** The only file that loads the OpenTelemetry libraries; imported when the first export is made. */
import { type HrTime, ValueType } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import type { MetricDefinition } from '../protocol.ts'
import type { OtlpFamily, OtlpPoint } from './otlp-points.ts'

type ExporterConfig = NonNullable<ConstructorParameters<typeof OTLPMetricExporter>[0]>
type Compression = NonNullable<ExporterConfig['compression']>

export function openExporter(config: Pick<ExporterConfig, 'url' | 'headers' | 'timeoutMillis'>): PushMetricExporter {
  return new OTLPMetricExporter({ ...config, compression: 'gzip' as Compression })
}

/** Units as UCUM writes them, which OTLP asks for. */
const UNITS: Readonly<Record<MetricDefinition['unit'], string>> = {
  ratio: '1',
  bytes: 'By',
  celsius: 'Cel',
  watts: 'W',
  hertz: 'Hz',
  count: '1',
  'bytes-per-second': 'By/s',
}

/** Zero says in OTLP that it is not known since when something is counted. */
const UNKNOWN_START: HrTime = [0, 0]

export function toResourceMetrics(
  families: readonly OtlpFamily[],
  resource: Readonly<Record<string, string>>,
): ResourceMetrics {
  const attributes = { 'service.name': 'medley', ...resource }
  const metrics = families.map(toMetric)
  return {
    resource: resourceFromAttributes(attributes),
    scopeMetrics: [{ scope: { name: '@medley/monitoring' }, metrics }],
  }
}

function toMetric({ metric, points }: OtlpFamily): MetricData {
  const counter = metric.kind === 'counter'
  const unit = UNITS[metric.unit]
  const descriptor = { name: metric.exposed, description: metric.title.en, unit, valueType: ValueType.DOUBLE }
  const shared = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE }
  const dataPoints = points.map((point) => toDataPoint(point, counter))
  if (!counter) return { ...shared, dataPointType: DataPointType.GAUGE, dataPoints }
  return { ...shared, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true }
}

function toDataPoint({ atMs, value, attributes }: OtlpPoint, counter: boolean) {
  const endTime: HrTime = [Math.floor(atMs / 1_000), (atMs % 1_000) * 1_000_000]
  return { startTime: counter ? UNKNOWN_START : endTime, endTime, attributes: { ...attributes }, value }
}
