import { DashboardOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./overview-page.tsx'), 'OverviewPage'),
})

export const overviewRoutes = [overviewRoute] as const
export const overviewNav: NavEntry = {
  to: '/',
  group: 'home',
  label: { en: 'Overview', 'zh-CN': '总览' },
  icon: <DashboardOutlined />,
}
