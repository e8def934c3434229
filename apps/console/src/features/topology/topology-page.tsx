import { queryOptions, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { request } from '../../shared/api/client.ts'
import { collectPages } from '../../shared/api/pages.ts'
import type { Node, NodeTopology } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { LinkMatrix } from '../../shared/fleet/link-matrix.tsx'
import { NodeStateMark } from '../../shared/fleet/node-state.tsx'
import { StateCounts } from '../../shared/fleet/state-bar.tsx'
import { withFilter } from '../../shared/search.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { TextFilter } from '../../shared/ui/filters.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { type TopologySearch, topologySearch } from './search.ts'
import './topology.css'
import { topologyMessages } from './topology.messages.ts'
import { type RackBranch, type SpineBranch, statesOf, treeOf } from './tree.ts'

const allNodesQuery = queryOptions({
  queryKey: ['nodes', 'all'],
  queryFn: () => collectPages<Node>('/api/v1/nodes', {}, () => undefined),
  staleTime: 30_000,
})

const topologyQuery = (nodeId: string) =>
  queryOptions({
    queryKey: ['nodes', nodeId, 'topology'],
    queryFn: ({ signal }) => request<NodeTopology>(`/api/v1/nodes/${encodeURIComponent(nodeId)}/topology`, { signal }),
  })

const csvColumns: readonly CsvColumn<Node>[] = [
  ['spine', (node) => node.place.spine],
  ['rack', (node) => node.place.rack],
  ['node', (node) => node.facts.hostname],
  ['node_id', (node) => node.id],
  ['state', (node) => node.state],
  ['simulated', (node) => node.simulated],
  ['chips', (node) => node.chipCount],
]

function NodeLine({ node, search }: { readonly node: Node; readonly search: TopologySearch }) {
  const current = search.node === node.id
  return (
    <li className={node.simulated ? 'tree-node hatch' : 'tree-node'}>
      <Link
        to="/topology"
        search={{ ...search, node: node.id }}
        replace
        activeOptions={{ exact: true, includeSearch: true }}
        {...(current ? { 'aria-current': 'true' as const } : {})}
      >
        {node.facts.hostname}
      </Link>
      <span className="row small tree-marks">
        {node.state === 'connected' && node.cordon === null && !node.simulated ? null : <NodeStateMark node={node} />}
        <StateCounts states={node.chipStates} />
      </span>
    </li>
  )
}

interface RackProps {
  readonly branch: RackBranch
  readonly search: TopologySearch
  readonly open: boolean
}

function Rack({ branch, search, open }: RackProps) {
  const t = useText(topologyMessages)
  const format = useFormat()
  const chips = branch.nodes.reduce((sum, node) => sum + node.chipCount, 0)
  return (
    <details open={open} className="tree-rack">
      <summary>
        <span className="strong">{branch.rack ?? t('noRack')}</span>{' '}
        <span className="small muted">
          {t('counts', { nodes: format.count(branch.nodes.length), chips: format.count(chips) })}
        </span>
        <span className="small tree-states">
          <StateCounts states={statesOf(branch.nodes)} />
        </span>
      </summary>
      <ul>
        {branch.nodes.map((node) => (
          <NodeLine key={node.id} node={node} search={search} />
        ))}
      </ul>
    </details>
  )
}

function Spine({
  branch,
  search,
  few,
}: {
  readonly branch: SpineBranch
  readonly search: TopologySearch
  readonly few: boolean
}) {
  const t = useText(topologyMessages)
  const format = useFormat()
  return (
    <section className="tree-spine">
      <h3>
        {branch.spine ?? t('noSpine')}{' '}
        <span className="small muted">
          {t('counts', { nodes: format.count(branch.nodes), chips: format.count(branch.chips) })}
        </span>
      </h3>
      {branch.racks.map((rack) => (
        <Rack
          key={rack.rack ?? ''}
          branch={rack}
          search={search}
          open={few || rack.nodes.some((node) => node.id === search.node)}
        />
      ))}
    </section>
  )
}

function Tree({ nodes, search }: { readonly nodes: readonly Node[]; readonly search: TopologySearch }) {
  const t = useText(topologyMessages)
  const text = search.q?.toLowerCase() ?? ''
  const found = useMemo(
    () =>
      nodes.filter((node) =>
        [node.facts.hostname, node.place.rack, node.place.spine].some((name) => name?.toLowerCase().includes(text)),
      ),
    [nodes, text],
  )
  const tree = useMemo(() => treeOf(found), [found])
  if (nodes.length === 0) {
    return (
      <Empty title={t('none')} action={<Link to="/nodes">{t('toNodes')}</Link>}>
        {t('noneNext')}
      </Empty>
    )
  }
  if (found.length === 0) {
    return (
      <Empty title={t('noMatch', { text: search.q ?? '' })} action={<Link to="/topology">{t('clear')}</Link>}>
        {t('noMatchNext')}
      </Empty>
    )
  }
  return tree.map((branch) => (
    <Spine key={branch.spine ?? ''} branch={branch} search={search} few={found.length <= 24} />
  ))
}

function NodeLinks({ nodeId, name }: { readonly nodeId: string; readonly name: string }) {
  const t = useText(topologyMessages)
  const topology = useQuery(topologyQuery(nodeId))
  return (
    <Panel
      title={t('links', { name })}
      flush
      extra={
        <Link to="/nodes/$nodeId" params={{ nodeId }}>
          {t('toNode')}
        </Link>
      }
    >
      <QueryView query={topology}>{(data) => <LinkMatrix topology={data} />}</QueryView>
    </Panel>
  )
}

export function TopologyPage() {
  const t = useText(topologyMessages)
  const navigate = useNavigate()
  const search = topologySearch(useSearch({ from: '/shell/topology' }))
  const nodes = useQuery(allNodesQuery)
  const chosen = nodes.data?.find((node) => node.id === search.node)
  return (
    <>
      <PageHead
        title={t('title')}
        sub={t('sub')}
        action={<ExportButton fileName="medley-topology.csv" columns={csvColumns} collect={() => nodes.data ?? []} />}
      />
      <div className="topology">
        <section className="panel" aria-label={t('tree')}>
          <header>
            <h2>{t('tree')}</h2>
            <div className="filter-bar">
              <TextFilter
                label={t('filter')}
                value={search.q}
                onChange={(value) => void navigate({ to: '/topology', search: withFilter(search, 'q', value) })}
              />
            </div>
          </header>
          <QueryView query={nodes}>{(all) => <Tree nodes={all} search={search} />}</QueryView>
        </section>
        <div className="topology-links">
          {chosen === undefined ? (
            <Panel title={t('choose')}>
              <p className="muted">{t('chooseNext')}</p>
            </Panel>
          ) : (
            <NodeLinks nodeId={chosen.id} name={chosen.facts.hostname} />
          )}
        </div>
      </div>
    </>
  )
}
