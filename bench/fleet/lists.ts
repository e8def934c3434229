import { z } from 'zod'
import type { RunningFactory } from '../../tests/factory.ts'
import { operatorToken } from './processes.ts'

const PAGE = 100
const WARM_UP = 50
const answer = z.object({ items: z.array(z.unknown()), nextCursor: z.string().nullable() })

/** Walks the list of chips of one factory over and over, a full page at a time. */
function walker(factory: RunningFactory) {
  const headers = { authorization: `Bearer ${operatorToken(factory.data)}` }
  let cursor: string | null = null
  return async (): Promise<number> => {
    for (;;) {
      const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const startedAt = performance.now()
      const response = await fetch(`${factory.consoleUrl}/api/v1/chips?limit=${PAGE}${after}`, { headers })
      const text = await response.text()
      const tookMs = performance.now() - startedAt
      if (!response.ok) throw new Error(`the list answered ${response.status}: ${text}`)
      const { items, nextCursor } = answer.parse(JSON.parse(text))
      cursor = nextCursor
      // A last page with a few chips on it would flatter whoever has more of them.
      if (items.length === PAGE) return tookMs
    }
  }
}

/**
 * Milliseconds of each full page of both factories' lists, one of each in turn, so that whatever else the machine does
 * meets both alike. Connections are kept alive.
 */
export async function timeLists(
  large: RunningFactory,
  small: RunningFactory,
  pages: number,
): Promise<{ readonly large: readonly number[]; readonly small: readonly number[] }> {
  const [walkLarge, walkSmall] = [walker(large), walker(small)]
  const times = { large: [] as number[], small: [] as number[] }
  for (let page = -WARM_UP; page < pages; page += 1) {
    const [inLarge, inSmall] = [await walkLarge(), await walkSmall()]
    if (page < 0) continue
    times.large.push(inLarge)
    times.small.push(inSmall)
  }
  return times
}
