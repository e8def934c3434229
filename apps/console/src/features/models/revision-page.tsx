import { queryOptions, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import { ApiProblem, request } from '../../shared/api/client.ts'
import type { Deployment, Revision } from '../../shared/api/types.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { type Fact, FactList } from '../../shared/ui/fact-list.tsx'
import { JsonFacts } from '../../shared/ui/json-facts.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import './models.css'
import { modelMessages } from './models.messages.ts'

const revisionQuery = (id: string) =>
  queryOptions({
    queryKey: ['deployments', 'revision', id],
    queryFn: ({ signal }) => request<Revision>(`/api/v1/revisions/${encodeURIComponent(id)}`, { signal }),
  })

interface RevisionPanelsProps {
  readonly revision: Deployment['revision']
  /** What the page knows besides. */
  readonly facts: readonly Fact[]
}

/** Everything an answer of this revision can be traced to. */
export function RevisionPanels({ revision, facts }: RevisionPanelsProps) {
  const t = useText(modelMessages)
  return (
    <>
      <Panel title={t('revision')}>
        <FactList
          facts={[
            ...facts,
            { name: t('created'), value: <When iso={revision.createdAt} full /> },
            { name: t('revisionId'), value: <code>{revision.id}</code>, wide: true },
            { name: t('digest'), value: <code>{revision.digest}</code>, wide: true },
          ]}
        />
      </Panel>
      <Panel title={t('spec')}>
        <JsonFacts value={revision.spec} />
        <details className="spec-json">
          <summary>{t('specJson')}</summary>
          <CopyBlock label={t('specJson')} text={JSON.stringify(revision, null, 2)} />
        </details>
      </Panel>
    </>
  )
}

function Content({ revision }: { readonly revision: Revision }) {
  const t = useText(modelMessages)
  const { deployment } = revision
  const link = (
    <Link to="/deployments/$deploymentId" params={{ deploymentId: deployment.id }}>
      {deployment.name}
    </Link>
  )
  return (
    <>
      <PageHead
        crumb={
          <Link to="/models" className="crumb">
            {t('title')}
          </Link>
        }
        title={t('revisionOf', { name: deployment.name })}
        state={
          revision.current ? (
            <StateMark state="healthy" label={t('current')} />
          ) : (
            <StateMark state="waiting" label={t('replaced')} />
          )
        }
        sub={revision.current ? t('currentWhy') : t('replacedWhy')}
      />
      <div className="stack">
        <RevisionPanels revision={revision} facts={[{ name: t('deployment'), value: link }]} />
      </div>
    </>
  )
}

/** Where the lineage of an answer leads: the deployment in the very form that answered, replaced since or not. */
export function RevisionPage() {
  const t = useText(modelMessages)
  const { revisionId } = useParams({ from: '/shell/revisions/$revisionId' })
  const revision = useQuery(revisionQuery(revisionId))
  if (revision.error instanceof ApiProblem && revision.error.problem.status === 404) {
    return (
      <>
        <PageHead title={t('revision')} sub={<code>{revisionId}</code>} />
        <div className="panel">
          <Empty title={t('unknownRevision')} action={<Link to="/usage">{t('seeUsage')}</Link>}>
            {t('unknownRevisionWhy')}
          </Empty>
        </div>
      </>
    )
  }
  return (
    <QueryView query={revision} title={t('revision')}>
      {(data) => <Content revision={data} />}
    </QueryView>
  )
}
