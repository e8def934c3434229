import { DeploymentUnitOutlined } from '@ant-design/icons'
import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { type NavEntry, shellRoute } from '../../app/routes.ts'

const modelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/models',
  component: lazyRouteComponent(() => import('./models-page.tsx'), 'ModelsPage'),
})
const deploymentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/deployments/$deploymentId',
  component: lazyRouteComponent(() => import('./deployment-page.tsx'), 'DeploymentPage'),
})
const revisionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/revisions/$revisionId',
  component: lazyRouteComponent(() => import('./revision-page.tsx'), 'RevisionPage'),
})

export const modelRoutes = [modelsRoute, deploymentRoute, revisionRoute] as const
export const modelNav: NavEntry = {
  to: '/models',
  group: 'models',
  label: { en: 'Models & deployments', 'zh-CN': '模型与部署' },
  icon: <DeploymentUnitOutlined />,
}
