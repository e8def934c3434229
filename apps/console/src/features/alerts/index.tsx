import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { alertsSearch } from './search.ts'

const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts',
  validateSearch: alertsSearch,
  component: lazyRouteComponent(() => import('./alerts-page.tsx'), 'AlertsPage'),
})

function BellIcon() {
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
      <path d="M3.2 11.6c1-1 1.2-2.2 1.2-4.2a3.6 3.6 0 0 1 7.2 0c0 2 .2 3.2 1.2 4.2zM6.6 13.8h2.8M8 3.6V1.8" />
    </svg>
  )
}

export const alertRoutes = [alertsRoute] as const
export const alertNav: NavEntry = {
  to: '/alerts',
  group: 'compute',
  label: { en: 'Alerts', 'zh-CN': '告警' },
  icon: <BellIcon />,
  needs: 'alerts:read',
}
