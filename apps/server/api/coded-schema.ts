import { z } from '@hono/zod-openapi'

/** Apart from the other schemas, since those of chips and those of nodes both need it. */
export const coded = z
  .object({ code: z.string(), params: z.record(z.string(), z.string()) })
  .openapi('Coded', { description: 'A code and its parameters; the reader’s language is chosen where it is shown' })
