import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Button } from 'antd'
import { useText } from '../../i18n/messages.ts'
import { realChipsQuery } from '../../shared/api/queries.ts'
import type { ProvingRecord } from '../../shared/api/types.ts'
import { downloadFile } from '../../shared/download.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { recordQuery } from './api.ts'
import './chips.css'
import { recordMessages } from './chips.messages.ts'
import { readEvidence } from './evidence.ts'
import { EnvironmentPanel, NoisePanel, PeaksPanel, SamplesPanel } from './record-panels.tsx'
import { AxisCard, inOrder } from './scores-panel.tsx'

function Content({ record }: { readonly record: ProvingRecord }) {
  const t = useText(recordMessages)
  const chips = useQuery(realChipsQuery)
  const chip = chips.data?.items.find((candidate) => candidate.facts.uuid === record.chipUuid)
  const evidence = readEvidence(record.evidence)
  const raw = JSON.stringify(record, null, 2)
  return (
    <>
      <PageHead
        title={t('title')}
        state={
          <StateMark
            state={record.verified ? 'healthy' : 'failed'}
            label={record.verified ? t('verified') : t('broken')}
          />
        }
        sub={t('sub')}
        crumb={
          chip === undefined ? null : (
            <Link to="/chips/$chipId" params={{ chipId: chip.id }} className="crumb">
              {chip.facts.product}
            </Link>
          )
        }
        action={
          <Button onClick={() => downloadFile(`${record.id}.json`, 'application/json', raw)}>{t('download')}</Button>
        }
      />
      <div className="stack">
        {record.verified ? null : (
          <div className="problem" role="alert">
            <strong>{t('broken')}</strong>
            <span>{t('brokenWhy')}</span>
          </div>
        )}
        <Panel title={t('scores')} flush>
          <div className="axes">
            {inOrder(record.scores).map((axis) => (
              <AxisCard key={axis.event} axis={axis} linked={false} />
            ))}
          </div>
        </Panel>
        <SamplesPanel evidence={evidence} />
        <PeaksPanel evidence={evidence} />
        <div className="columns">
          <EnvironmentPanel evidence={evidence} />
          <NoisePanel evidence={evidence} />
        </div>
        <Panel title={t('identity')}>
          <FactList
            facts={[
              { name: t('created'), value: <When iso={record.createdAt} full /> },
              {
                name: t('key'),
                value: (
                  <code>
                    {record.signature.keyId} ({record.signature.algorithm})
                  </code>
                ),
              },
              { name: t('digest'), value: <code>{record.digest}</code>, wide: true },
              { name: t('run'), value: <code>{record.runId}</code> },
              { name: t('chip'), value: <code>{record.chipUuid}</code> },
            ]}
          />
        </Panel>
        <details className="panel raw">
          <summary>{t('raw')}</summary>
          <CopyBlock label={t('raw')} text={raw} />
        </details>
      </div>
    </>
  )
}

export function RecordPage() {
  const t = useText(recordMessages)
  const { recordId } = useParams({ from: '/shell/records/$recordId' })
  const record = useQuery(recordQuery(recordId))
  return (
    <QueryView query={record} title={t('title')}>
      {(data) => <Content record={data} />}
    </QueryView>
  )
}
