import { OpenAPIHono } from '@hono/zod-openapi'
import type { AppEnv } from './guard.ts'
import { invalidRequest } from './problems.ts'

/** A router of the control API; each group of routes is one. Bad input becomes one problem naming each field. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error)
    },
  })
}
