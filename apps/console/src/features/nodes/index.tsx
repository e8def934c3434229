import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { nodeSearch, nodesSearch } from './search.ts'

const nodesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/nodes',
  validateSearch: nodesSearch,
  component: lazyRouteComponent(() => import('./nodes-page.tsx'), 'NodesPage'),
})
const nodeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/nodes/$nodeId',
  validateSearch: nodeSearch,
  component: lazyRouteComponent(() => import('./node-page.tsx'), 'NodePage'),
})

function NodeIcon() {
  return (
    <svg
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      aria-hidden="true"
    >
      <rect x="1.7" y="2" width="12.6" height="5" rx="1.2" />
      <rect x="1.7" y="9" width="12.6" height="5" rx="1.2" />
      <path d="M4.4 4.5h.1M4.4 11.5h.1M8 4.5h3.6M8 11.5h3.6" strokeLinecap="round" />
    </svg>
  )
}

export const nodeRoutes = [nodesRoute, nodeRoute] as const
export const nodeNav: NavEntry = {
  to: '/nodes',
  group: 'compute',
  label: { en: 'Nodes', 'zh-CN': '节点' },
  icon: <NodeIcon />,
  needs: 'nodes:read',
}
