import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('./keys-page.tsx'), 'KeysPage'),
})

function KeyIcon() {
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
      <circle cx="5" cy="8" r="3.4" />
      <path d="M8.4 8H15v2.6M12 8v2" />
    </svg>
  )
}

export const keyRoutes = [keysRoute] as const
export const keyNav: NavEntry = {
  to: '/keys',
  group: 'operations',
  label: { en: 'API keys', 'zh-CN': 'API 密钥' },
  icon: <KeyIcon />,
}
