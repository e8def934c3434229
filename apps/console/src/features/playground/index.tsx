import { MessageOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const playgroundRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/playground',
  validateSearch: (search: Record<string, unknown>): { model?: string } =>
    typeof search.model === 'string' ? { model: search.model } : {},
  component: lazyRouteComponent(() => import('./playground-page.tsx'), 'PlaygroundPage'),
})

export const playgroundRoutes = [playgroundRoute] as const
export const playgroundNav: NavEntry = {
  to: '/playground',
  group: 'models',
  label: { en: 'Playground', 'zh-CN': '试用' },
  icon: <MessageOutlined />,
}
