import { NodeIndexOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const chipsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/chips',
  component: lazyRouteComponent(() => import('./chips-page.tsx'), 'ChipsPage'),
})
const chipRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/chips/$chipId',
  component: lazyRouteComponent(() => import('./chip-page.tsx'), 'ChipPage'),
})
const recordRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/records/$recordId',
  component: lazyRouteComponent(() => import('./record-page.tsx'), 'RecordPage'),
})

export const chipRoutes = [chipsRoute, chipRoute, recordRoute] as const
export const chipNav: NavEntry = {
  to: '/chips',
  group: 'compute',
  label: { en: 'Chips', 'zh-CN': '芯片' },
  icon: <NodeIndexOutlined />,
}
