import { KeyOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('./keys-page.tsx'), 'KeysPage'),
})

export const keyRoutes = [keysRoute] as const
export const keyNav: NavEntry = {
  to: '/keys',
  group: 'operations',
  label: { en: 'API keys', 'zh-CN': 'API 密钥' },
  icon: <KeyOutlined />,
}
