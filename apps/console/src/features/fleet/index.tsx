import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { fleetSearch } from './search.ts'

const fleetRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/fleet',
  validateSearch: fleetSearch,
  component: lazyRouteComponent(() => import('./fleet-page.tsx'), 'FleetPage'),
})

function MapIcon() {
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
      <path d="M1.7 1.7h3.2v3.2H1.7zM6.4 1.7h3.2v3.2H6.4zM11.1 1.7h3.2v3.2h-3.2zM1.7 6.4h3.2v3.2H1.7zM11.1 6.4h3.2v3.2h-3.2zM1.7 11.1h3.2v3.2H1.7zM6.4 11.1h3.2v3.2H6.4z" />
      <path d="M6.4 6.4h3.2v3.2H6.4zM11.1 11.1h3.2v3.2h-3.2z" fill="currentColor" />
    </svg>
  )
}

export const fleetRoutes = [fleetRoute] as const
export const fleetNav: NavEntry = {
  to: '/fleet',
  group: 'compute',
  label: { en: 'Fleet map', 'zh-CN': '机群地图' },
  icon: <MapIcon />,
  needs: 'nodes:read',
}
