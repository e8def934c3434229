import { BarChartOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'
import { usageSearch } from './search.ts'

const usageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/usage',
  validateSearch: usageSearch,
  component: lazyRouteComponent(() => import('./usage-page.tsx'), 'UsagePage'),
})

export const usageRoutes = [usageRoute] as const
export const usageNav: NavEntry = {
  to: '/usage',
  group: 'operations',
  label: { en: 'Usage', 'zh-CN': '用量' },
  icon: <BarChartOutlined />,
}
