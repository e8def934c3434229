import { createHash } from 'node:crypto'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export type Digest = `sha256:${string}`

/**
 * Canonical JSON after RFC 8785 (JCS): keys sorted by UTF-16 code units, no blanks, numbers as ECMAScript prints
 * them. `undefined` members are left out, as JSON.stringify does.
 *
 * @throws {TypeError} for NaN and infinities, which JSON cannot carry.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`
  const members = Object.entries(value)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** Content digest of a JSON value: SHA-256 over its canonical form. */
export function digestOf(value: Json): Digest {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`
}
