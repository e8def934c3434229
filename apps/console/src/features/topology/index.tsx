import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { topologySearch } from './search.ts'

const topologyRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/topology',
  validateSearch: topologySearch,
  component: lazyRouteComponent(() => import('./topology-page.tsx'), 'TopologyPage'),
})

function TreeIcon() {
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
      <rect x="6" y="1.4" width="4" height="3.4" rx="0.8" />
      <rect x="1.2" y="11.2" width="4" height="3.4" rx="0.8" />
      <rect x="10.8" y="11.2" width="4" height="3.4" rx="0.8" />
      <path d="M8 4.8V8M3.2 11.2V8h9.6v3.2" />
    </svg>
  )
}

export const topologyRoutes = [topologyRoute] as const
export const topologyNav: NavEntry = {
  to: '/topology',
  group: 'compute',
  label: { en: 'Topology', 'zh-CN': '拓扑' },
  icon: <TreeIcon />,
  needs: 'nodes:read',
}
