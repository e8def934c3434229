import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { realChipsQuery, statusQuery } from '../../shared/api/queries.ts'
import type { Status } from '../../shared/api/types.ts'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { ChipsPanel } from './chips-panel.tsx'
import { DeploymentsPanel } from './deployments-panel.tsx'
import { needsOf } from './needs.ts'
import { NeedsPanel } from './needs-panel.tsx'
import './overview.css'
import { overviewMessages } from './overview.messages.ts'
import { SnippetPanel } from './snippet-panel.tsx'
import { StartupPanel } from './startup-panel.tsx'
import { Tiles } from './tiles.tsx'

function FactoryPanel({ status }: { readonly status: Status }) {
  const t = useText(overviewMessages)
  const { kind, version } = status.store
  return (
    <Panel title={t('factory')}>
      <FactList
        facts={[
          { name: t('gateway'), value: <code>{status.endpoints.gateway}</code>, wide: true },
          {
            name: t('store'),
            value: t(kind === 'embedded' ? 'storeEmbedded' : 'storeExternal', { version }),
            wide: true,
          },
          { name: t('instance'), value: <code>{status.instanceId}</code>, wide: true },
        ]}
      />
    </Panel>
  )
}

function Content({ status }: { readonly status: Status }) {
  const t = useText(overviewMessages)
  const format = useFormat()
  const chips = useQuery(realChipsQuery)
  const needs = needsOf(status, chips.data?.items ?? [])
  const served = status.deployments.find((deployment) => deployment.state === 'ready')?.servedModel ?? null
  const starting = status.steps.some((step) => step.state !== 'done' && step.state !== 'skipped')
  const mark = !status.ready ? (
    <StateMark state="working" label={t('starting')} />
  ) : needs.length > 0 ? (
    <StateMark state="degraded" label={t('attention')} />
  ) : (
    <StateMark state="healthy" label={t('ready')} />
  )
  return (
    <>
      <PageHead
        title={t('title')}
        state={mark}
        sub={t('sub', { version: status.version, when: format.relative(status.startedAt) })}
        action={
          served === null ? null : (
            <Link to="/playground" className="button-link">
              {t('tryIt')}
            </Link>
          )
        }
      />
      <div className="stack">
        {starting ? <StartupPanel steps={status.steps} /> : null}
        <Tiles status={status} />
        <div className="columns">
          <div className="stack">
            <QueryView query={chips}>{(page) => <ChipsPanel chips={page.items} status={status} />}</QueryView>
            <SnippetPanel gateway={status.endpoints.gateway} model={served} />
          </div>
          <div className="stack">
            <div className="needs">
              <NeedsPanel needs={needs} />
            </div>
            <DeploymentsPanel deployments={status.deployments} />
            <FactoryPanel status={status} />
          </div>
        </div>
      </div>
    </>
  )
}

export function OverviewPage() {
  const t = useText(overviewMessages)
  const status = useQuery(statusQuery)
  return (
    <QueryView query={status} title={t('title')}>
      {(data) => <Content status={data} />}
    </QueryView>
  )
}
