import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { auditSearch } from './search.ts'

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit',
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
})

function AuditIcon() {
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
      <path d="M3 1.6h7.2L13 4.4v10H3zM5.4 6.4h5.2M5.4 9h5.2M5.4 11.6h3" />
    </svg>
  )
}

export const auditRoutes = [auditRoute] as const
export const auditNav: NavEntry = {
  to: '/audit',
  group: 'operations',
  label: { en: 'Audit', 'zh-CN': '审计' },
  icon: <AuditIcon />,
  needs: 'audit:read',
}
