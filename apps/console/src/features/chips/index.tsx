import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { chipSearch, chipsSearch } from './search.ts'

const chipsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/chips',
  validateSearch: chipsSearch,
  component: lazyRouteComponent(() => import('./chips-page.tsx'), 'ChipsPage'),
})
const chipRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/chips/$chipId',
  validateSearch: chipSearch,
  component: lazyRouteComponent(() => import('./chip-page.tsx'), 'ChipPage'),
})
const recordRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/records/$recordId',
  component: lazyRouteComponent(() => import('./record-page.tsx'), 'RecordPage'),
})

function ChipIcon() {
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
      <rect x="3.6" y="3.6" width="8.8" height="8.8" rx="1.2" />
      <rect x="6.3" y="6.3" width="3.4" height="3.4" />
      <path d="M6 3.4V1M10 3.4V1M6 15v-2.4M10 15v-2.4M3.4 6H1M3.4 10H1M15 6h-2.4M15 10h-2.4" />
    </svg>
  )
}

export const chipRoutes = [chipsRoute, chipRoute, recordRoute] as const
export const chipNav: NavEntry = {
  to: '/chips',
  group: 'compute',
  label: { en: 'Chips', 'zh-CN': '芯片' },
  icon: <ChipIcon />,
}
