import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { LinkMatrix } from '../../shared/fleet/link-matrix.tsx'
import { NodeStateMark } from '../../shared/fleet/node-state.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { ViewTabs } from '../../shared/ui/view-tabs.tsx'
import { When } from '../../shared/ui/when.tsx'
import { nodeQuery, topologyQuery } from './api.ts'
import { CardsPanel } from './cards-panel.tsx'
import { DescribePanel } from './describe-panel.tsx'
import { FactsPanel, HardwarePanels } from './facts-panels.tsx'
import { GapsPanel, HistoryPanel } from './history-panel.tsx'
import { MaintenancePanel } from './maintenance-panel.tsx'
import { NodeActions } from './node-actions.tsx'
import './nodes.css'
import { nodeMessages } from './nodes.messages.ts'
import { nodeSearch } from './search.ts'

const views = ['overview', 'hardware', 'topology', 'history'] as const

function CordonNote({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  if (node.cordon === null || node.cordon.state === 'open') return null
  return (
    <div className="note-line">
      <StateMark
        state="held"
        label={t('cordonedBy', { who: node.cordon.by, reason: node.cordon.reason || t('noReason') })}
      />
      <span className="muted small">
        {t('since')} <When iso={node.cordon.since} full />
      </span>
    </div>
  )
}

function TopologyPanel({ nodeId }: { readonly nodeId: string }) {
  const t = useText(nodeMessages)
  const topology = useQuery(topologyQuery(nodeId))
  return (
    <Panel title={t('topology')} flush>
      <QueryView query={topology}>{(data) => <LinkMatrix topology={data} />}</QueryView>
    </Panel>
  )
}

function View({ node, view }: { readonly node: Node; readonly view: (typeof views)[number] }) {
  if (view === 'hardware') return <HardwarePanels node={node} />
  if (view === 'topology') return <TopologyPanel nodeId={node.id} />
  if (view === 'history') {
    return (
      <div className="columns">
        <HistoryPanel nodeId={node.id} />
        <GapsPanel nodeId={node.id} />
      </div>
    )
  }
  return (
    <div className="columns">
      <div className="stack">
        <CardsPanel nodeId={node.id} />
        <FactsPanel node={node} />
      </div>
      <div className="stack">
        <DescribePanel node={node} />
        <MaintenancePanel node={node} />
      </div>
    </div>
  )
}

function Content({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  const asked = nodeSearch(useSearch({ from: '/shell/nodes/$nodeId' })).view
  const view = views.find((known) => known === asked) ?? 'overview'
  return (
    <>
      <PageHead
        crumb={
          <Link to="/nodes" className="crumb">
            {t('title')}
          </Link>
        }
        title={node.facts.hostname}
        state={
          <span className="row marks">
            <NodeStateMark node={node} />
          </span>
        }
        sub={
          <>
            {[node.place.rack, node.place.spine].filter((part) => part !== null).map((part) => `${part} · `)}
            {t('seen')} <When iso={node.lastSeenAt} />
          </>
        }
        action={<NodeActions node={node} />}
      />
      <CordonNote node={node} />
      <ViewTabs label={t('views')} current={view} tabs={views.map((key) => ({ key, title: t(`${key}Tab`) }))} />
      <View node={node} view={view} />
    </>
  )
}

export function NodePage() {
  const t = useText(nodeMessages)
  const { nodeId } = useParams({ from: '/shell/nodes/$nodeId' })
  const node = useQuery(nodeQuery(nodeId))
  return (
    <QueryView query={node} title={t('node')}>
      {(data) => <Content node={data} />}
    </QueryView>
  )
}
