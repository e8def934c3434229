import type { RouterRoute } from 'hono/types'

/**
 * The methods that an address knows, where it was asked with another: empty where there is nothing at all.
 * Addresses with a wildcard belong to others, who answer for themselves.
 */
export function otherMethods(routes: readonly RouterRoute[], method: string, path: string): readonly string[] {
  const found = routes.filter(
    (route) => route.method !== 'ALL' && !route.path.includes('*') && matches(route.path, path),
  )
  const methods = new Set(found.map(({ method }) => method))
  if (methods.has('GET')) methods.add('HEAD')
  // A route that takes the method looked and found nothing: that is no matter of methods.
  return methods.has(method) ? [] : [...methods].toSorted()
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => part === given[at] || (part.startsWith(':') && given[at] !== ''))
  )
}
