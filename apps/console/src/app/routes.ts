import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Message } from '../i18n/messages.ts'
import { ApiProblem } from '../shared/api/client.ts'
import { sessionQuery } from '../shared/api/queries.ts'

/** The groups of the left rail; a group shows only once something in it exists. */
export type NavGroup = 'home' | 'compute' | 'models' | 'operations'

export interface NavEntry {
  readonly to: string
  readonly group: NavGroup
  readonly label: Message
  readonly icon: ReactNode
  /** Permission without which the page has nothing to show. */
  readonly needs?: string
}

export interface RouterContext {
  readonly queryClient: QueryClient
  readonly nav: readonly NavEntry[]
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Outlet })

/** Everything behind the sign-in. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery)
    } catch (error) {
      const status = error instanceof ApiProblem ? error.problem.status : null
      if (status !== 401 && status !== 403) throw error
      throw redirect({ to: '/sign-in', search: { from: location.href } })
    }
  },
  component: lazyRouteComponent(() => import('./shell.tsx'), 'Shell'),
})
