import { BarChartOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

export interface UsageSearch {
  readonly model?: string
  readonly outcome?: string
  readonly requestId?: string
  readonly cursor?: string
}

const names = ['model', 'outcome', 'requestId', 'cursor'] as const

const usageRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/usage',
  validateSearch: (search: Record<string, unknown>): UsageSearch =>
    Object.fromEntries(names.flatMap((name) => (typeof search[name] === 'string' ? [[name, search[name]]] : []))),
  component: lazyRouteComponent(() => import('./usage-page.tsx'), 'UsagePage'),
})

export const usageRoutes = [usageRoute] as const
export const usageNav: NavEntry = {
  to: '/usage',
  group: 'operations',
  label: { en: 'Usage', 'zh-CN': '用量' },
  icon: <BarChartOutlined />,
}
