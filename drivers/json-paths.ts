/** More values than any tool prints for a whole machine. */
const MOST_VALUES = 50_000
const MOST_DEPTH = 12

/** JSON, also with the stray commas that some tools print and with messages before it; `null` if it is none. */
export function parseLooseJson(text: string): unknown {
  const start = text.search(/[[{]/)
  if (start < 0) return null
  const body = text.slice(start, Math.max(text.lastIndexOf('}'), text.lastIndexOf(']')) + 1)
  for (const candidate of [body, body.replace(/,(?:\s*,)+/g, ',').replace(/,\s*([}\]])/g, '$1')]) {
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      // The next candidate, or no JSON at all.
    }
  }
  return null
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Values of a nested record by their path, lower-cased and joined by dots; `{ value: 12, unit: "W" }` is `12 W`.
 * Numbers become text, so that words for "unknown" are read in one place.
 */
export function flatten(record: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const visit = (value: unknown, path: string, depth: number): void => {
    if (found.size >= MOST_VALUES || depth > MOST_DEPTH || value === null || value === undefined) return
    const quantity = asQuantity(value)
    if (quantity !== null) found.set(path, quantity)
    else for (const [key, inner] of Object.entries(value)) visit(inner, join(path, key), depth + 1)
  }
  visit(record, '', 0)
  return found
}

function asQuantity(value: unknown): string | null {
  if (typeof value !== 'object') return String(value)
  if (!isRecord(value) || !('value' in value) || isRecord(value.value)) return null
  return `${String(value.value)} ${typeof value.unit === 'string' ? value.unit : ''}`.trim()
}

function join(path: string, key: string): string {
  const name = key.trim().toLowerCase()
  return path === '' ? name : `${path}.${name}`
}
