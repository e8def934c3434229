import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { deploymentsQuery } from '../../shared/api/queries.ts'
import type { Deployment } from '../../shared/api/types.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { JsonFacts } from '../../shared/ui/json-facts.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProgressBar, useProgressText } from '../../shared/ui/progress.tsx'
import { Prose } from '../../shared/ui/prose.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { ChipLinks } from './columns.tsx'
import './models.css'
import { useStateWord } from '../../shared/ui/state-word.ts'
import { modelMessages } from './models.messages.ts'
import { RevisionPanels } from './revision-page.tsx'

function Replica({ replica }: { readonly replica: Deployment['replicas'][number] }) {
  const t = useText(modelMessages)
  const format = useFormat()
  const sentence = useCoded()
  const word = useStateWord()
  const progressText = useProgressText()
  const { progress, error } = replica
  return (
    <div className="replica">
      <div className="row between">
        <StateMark state={stateOf(replica.state)} label={word(replica.state)} />
        <code className="small muted">{replica.id}</code>
      </div>
      {progress === null ? null : (
        <div className="replica-progress">
          <ProgressBar progress={progress} label={progress.step} />
          <span className="small muted num">
            {progress.step} {progressText(progress)}
          </span>
        </div>
      )}
      {error === null ? null : (
        <div className="problem" role="alert">
          <strong>
            <Prose text={sentence(error)} />
          </strong>
          <span className="code mono">{error.code}</span>
        </div>
      )}
      <FactList
        facts={[
          { name: t('chips'), value: <ChipLinks uuids={replica.chipUuids} /> },
          { name: t('restarts'), value: format.count(replica.restarts) },
        ]}
      />
      {replica.facts === null ? null : (
        <div>
          <h3 className="small muted">{t('engineFacts')}</h3>
          <JsonFacts value={replica.facts} />
        </div>
      )}
    </div>
  )
}

function Content({ deployment }: { readonly deployment: Deployment }) {
  const t = useText(modelMessages)
  const word = useStateWord()
  const { revision } = deployment
  const usable = deployment.state === 'ready' || deployment.state === 'degraded'
  return (
    <>
      <PageHead
        crumb={
          <Link to="/models" className="crumb">
            {t('title')}
          </Link>
        }
        title={deployment.name}
        state={<StateMark state={stateOf(deployment.state)} label={word(deployment.state)} />}
        sub={
          <>
            {t('created')} <When iso={deployment.createdAt} />
          </>
        }
        action={
          usable ? (
            <Link to="/playground" search={{ model: deployment.servedModel }} className="button-link">
              {t('open')}
            </Link>
          ) : null
        }
      />
      <div className="stack">
        <Panel title={t('replicas')} flush>
          {deployment.replicas.length === 0 ? (
            <p className="line muted">{t('noReplicas')}</p>
          ) : (
            deployment.replicas.map((replica) => <Replica key={replica.id} replica={replica} />)
          )}
        </Panel>
        <RevisionPanels
          revision={revision}
          facts={[{ name: t('served'), value: <code>{deployment.servedModel}</code> }]}
        />
      </div>
    </>
  )
}

export function DeploymentPage() {
  const t = useText(modelMessages)
  const { deploymentId } = useParams({ from: '/shell/deployments/$deploymentId' })
  const deployments = useQuery(deploymentsQuery)
  return (
    <QueryView query={deployments} title={t('deployment')}>
      {(page) => {
        const deployment = page.items.find(({ id }) => id === deploymentId)
        if (deployment !== undefined) return <Content deployment={deployment} />
        return (
          <>
            <PageHead title={t('gone')} />
            <Empty title={t('goneWhy')} action={<Link to="/models">{t('all')}</Link>}>
              <code>{deploymentId}</code>
            </Empty>
          </>
        )
      }}
    </QueryView>
  )
}
