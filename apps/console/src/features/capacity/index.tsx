import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { capacitySearch } from './search.ts'

const capacityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/capacity',
  validateSearch: capacitySearch,
  component: lazyRouteComponent(() => import('./capacity-page.tsx'), 'CapacityPage'),
})

function SupplyIcon() {
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
      <path d="M1.6 12.4a6.4 6.4 0 1 1 12.8 0M8 12.4l3.4-4.2" />
      <circle cx="8" cy="12.4" r="1.1" fill="currentColor" />
    </svg>
  )
}

export const capacityRoutes = [capacityRoute] as const
export const capacityNav: NavEntry = {
  to: '/capacity',
  group: 'compute',
  label: { en: 'Supply', 'zh-CN': '算力供给' },
  icon: <SupplyIcon />,
  needs: 'supply:read',
}
