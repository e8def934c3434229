import { QueryCache, QueryClient } from '@tanstack/react-query'
import { createRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { alertNav, alertRoutes } from '../features/alerts/index.tsx'
import { auditNav, auditRoutes } from '../features/audit/index.tsx'
import { capacityNav, capacityRoutes } from '../features/capacity/index.tsx'
import { chipNav, chipRoutes } from '../features/chips/index.tsx'
import { fleetNav, fleetRoutes } from '../features/fleet/index.tsx'
import { keyNav, keyRoutes } from '../features/keys/index.tsx'
import { modelNav, modelRoutes } from '../features/models/index.tsx'
import { nodeNav, nodeRoutes } from '../features/nodes/index.tsx'
import { overviewNav, overviewRoutes } from '../features/overview/index.tsx'
import { playgroundNav, playgroundRoutes } from '../features/playground/index.tsx'
import { signInRoutes } from '../features/sign-in/index.ts'
import { topologyNav, topologyRoutes } from '../features/topology/index.tsx'
import { usageNav, usageRoutes } from '../features/usage/index.tsx'
import { vendorNav, vendorRoutes } from '../features/vendors/index.tsx'
import { ApiProblem } from '../shared/api/client.ts'
import { ProblemNote } from '../shared/ui/problem-note.tsx'
import { Loading } from '../shared/ui/query-view.tsx'
import { NotFound } from './not-found.tsx'
import { rootRoute, shellRoute } from './routes.ts'

function statusOf(error: unknown): number | null {
  return error instanceof ApiProblem ? error.problem.status : null
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended while the page was open: ask again, which leads to the sign-in page.
      if (statusOf(error) !== 401 || query.queryKey[0] === 'session') return
      queryClient.removeQueries({ queryKey: ['session'] })
      void router.invalidate()
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => {
        const status = statusOf(error)
        return failures < 2 && (status === null || status === 0 || status >= 500)
      },
    },
  },
})

function RouteError({ error, reset }: ErrorComponentProps) {
  return (
    <main className="outside">
      <ProblemNote
        alone
        error={error}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </main>
  )
}

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    ...signInRoutes,
    shellRoute.addChildren([
      ...overviewRoutes,
      ...fleetRoutes,
      ...nodeRoutes,
      ...chipRoutes,
      ...topologyRoutes,
      ...vendorRoutes,
      ...capacityRoutes,
      ...alertRoutes,
      ...auditRoutes,
      ...modelRoutes,
      ...playgroundRoutes,
      ...keyRoutes,
      ...usageRoutes,
    ]),
  ]),
  context: {
    queryClient,
    nav: [
      overviewNav,
      fleetNav,
      nodeNav,
      chipNav,
      topologyNav,
      vendorNav,
      capacityNav,
      alertNav,
      modelNav,
      playgroundNav,
      keyNav,
      usageNav,
      auditNav,
    ],
  },
  defaultPreload: 'intent',
  defaultErrorComponent: RouteError,
  defaultPendingComponent: Loading,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
