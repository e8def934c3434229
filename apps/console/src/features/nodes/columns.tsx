import { Link } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { NodeStateMark } from '../../shared/fleet/node-state.tsx'
import { StateCounts } from '../../shared/fleet/state-bar.tsx'
import type { Column } from '../../shared/ui/data-table.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { nodeMessages } from './nodes.messages.ts'

export function useNodeColumns(): readonly Column<Node>[] {
  const t = useText(nodeMessages)
  return [
    {
      key: 'name',
      title: t('node'),
      sortBy: (node) => node.facts.hostname,
      render: (node) => (
        <>
          <Link to="/nodes/$nodeId" params={{ nodeId: node.id }} className="strong">
            {node.facts.hostname}
          </Link>
          <div className="small muted">{node.facts.operatingSystem}</div>
        </>
      ),
    },
    {
      key: 'state',
      title: t('state'),
      sortBy: (node) => node.state,
      render: (node) => (
        <span className="row marks">
          <NodeStateMark node={node} />
        </span>
      ),
    },
    {
      key: 'chips',
      title: t('chips'),
      sortBy: (node) => node.chipCount,
      render: (node) =>
        node.chipCount === 0 ? <span className="muted">{t('noChips')}</span> : <StateCounts states={node.chipStates} />,
    },
    {
      key: 'place',
      title: t('place'),
      sortBy: (node) => node.place.rack,
      render: ({ place }) =>
        place.rack === null && place.spine === null ? (
          <Unknown reason={t('noPlace')} />
        ) : (
          [place.rack, place.spine].filter((part) => part !== null).join(' · ')
        ),
    },
    {
      key: 'agent',
      title: t('agent'),
      sortBy: (node) => node.facts.agentVersion,
      render: (node) => node.facts.agentVersion,
    },
    {
      key: 'seen',
      title: t('seen'),
      sortBy: (node) => Date.parse(node.lastSeenAt),
      render: (node) => <When iso={node.lastSeenAt} />,
    },
  ]
}
