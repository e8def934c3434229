import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { JsonFacts } from '../../shared/ui/json-facts.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { recordMessages } from './chips.messages.ts'
import type { Evidence, PeakEvidence } from './evidence.ts'

interface EvidenceProps {
  readonly evidence: Evidence
}

interface Sample {
  readonly caseId: string
  readonly repeat: number
  readonly tokens: number
  readonly seconds: number
  readonly cpuSeconds: number | null
}

export function SamplesPanel({ evidence }: EvidenceProps) {
  const t = useText(recordMessages)
  const format = useFormat()
  const samples = evidence.cases.flatMap((entry) =>
    entry.seconds.map(
      (seconds, index): Sample => ({
        caseId: entry.id,
        repeat: index + 1,
        tokens: entry.tokens,
        seconds,
        cpuSeconds: entry.cpuSeconds[index] ?? null,
      }),
    ),
  )
  if (samples.length === 0) {
    return (
      <Panel title={t('samples')}>
        <p className="muted">{t('samplesNone')}</p>
      </Panel>
    )
  }
  return (
    <Panel title={t('samples')} flush>
      <DataTable
        caption={t('samples')}
        rows={samples}
        rowKey={(sample) => `${sample.caseId} ${sample.repeat}`}
        columns={[
          { key: 'case', title: t('case'), render: (sample) => <code>{sample.caseId}</code> },
          { key: 'repeat', title: t('repeat'), align: 'right', render: (sample) => format.count(sample.repeat) },
          { key: 'tokens', title: t('tokens'), align: 'right', render: (sample) => format.count(sample.tokens) },
          {
            key: 'seconds',
            title: t('seconds'),
            align: 'right',
            render: (sample) => <span className="num">{format.exact(sample.seconds, 's')}</span>,
          },
          {
            key: 'cpu',
            title: t('cpuSeconds'),
            align: 'right',
            render: (sample) =>
              sample.cpuSeconds === null ? (
                <Unknown reason={t('notKnown')} />
              ) : (
                <span className="num">{format.exact(sample.cpuSeconds, 's')}</span>
              ),
          },
          {
            key: 'rate',
            title: t('rate'),
            align: 'right',
            render: (sample) => <span className="num">{format.measure(sample.tokens / sample.seconds, 'tok/s')}</span>,
          },
        ]}
      />
    </Panel>
  )
}

export function PeaksPanel({ evidence }: EvidenceProps) {
  const t = useText(recordMessages)
  const format = useFormat()
  if (evidence.peaks.length === 0) return null
  const size = (peak: PeakEvidence) => {
    if (peak.size === null) return <Unknown reason={t('notKnown')} />
    return 'shape' in peak.size ? peak.size.shape.join(' × ') : format.bytes(peak.size.bytes)
  }
  const note = t('peaksNote', {
    threads: evidence.threads === null ? '—' : format.count(evidence.threads),
    library: evidence.library ?? '—',
  })
  return (
    <Panel title={t('peaks')} flush extra={<span className="small muted">{note}</span>}>
      <DataTable
        caption={t('peaks')}
        rows={evidence.peaks}
        rowKey={(peak) => peak.name}
        columns={[
          { key: 'name', title: t('probe'), render: (peak) => t(peak.name) },
          {
            key: 'best',
            title: t('best'),
            align: 'right',
            render: (peak) => <strong className="num">{format.rate(Math.max(...peak.samples), peak.unit)}</strong>,
          },
          {
            key: 'all',
            title: t('all'),
            render: (peak) => (
              <span className="muted small">
                {peak.samples.map((sample) => format.rate(sample, peak.unit)).join(' · ')}
              </span>
            ),
          },
          {
            key: 'size',
            title: t('size'),
            align: 'right',
            render: (peak) => <span className="num">{size(peak)}</span>,
          },
        ]}
      />
    </Panel>
  )
}

export function NoisePanel({ evidence }: EvidenceProps) {
  const t = useText(recordMessages)
  const format = useFormat()
  const { loadBefore, loadAfter, steal, foreign } = evidence.noise
  const known = (value: number | null, show: (value: number) => string) =>
    value === null ? <Unknown reason={t('notKnown')} /> : <span className="num">{show(value)}</span>
  return (
    <Panel title={t('noise')}>
      <FactList
        facts={[
          { name: t('loadBefore'), value: known(loadBefore, (value) => format.exact(value)) },
          { name: t('loadAfter'), value: known(loadAfter, (value) => format.exact(value)) },
          { name: t('steal'), value: known(steal, format.percent), wide: true },
          { name: t('foreign'), value: known(foreign, format.percent), wide: true },
        ]}
      />
    </Panel>
  )
}

export function EnvironmentPanel({ evidence }: EvidenceProps) {
  const t = useText(recordMessages)
  if (evidence.environment.length === 0) return null
  return (
    <Panel title={t('environment')}>
      <JsonFacts value={Object.fromEntries(evidence.environment)} absent={<Unknown reason={t('notKnown')} />} />
    </Panel>
  )
}
