/** Keeps work away that does not tolerate it, in the words of Kubernetes. */
export interface Taint {
  readonly key: string
  readonly value: string
  readonly effect: 'no-schedule' | 'prefer-no-schedule' | 'no-execute'
}

/** Where a node stands: free words of the operator, `null` where nobody has said. */
export interface Place {
  readonly rack: string | null
  /** Leaf or spine switch, or the zone of the network that is close together. */
  readonly spine: string | null
}

export interface Breach {
  /** Which key or member, as the operator wrote it. */
  readonly key: string
  readonly rule: string
}

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const LONGEST_NAME = 63
const LONGEST_PREFIX = 253
const MOST_LABELS = 64
const MOST_TAINTS = 32

/** What is wrong with a label's or taint's key, by the rules of Kubernetes; `null` for nothing. */
export function keyRule(key: string): string | null {
  const parts = key.split('/')
  if (parts.length > 2) return 'at most one "/" between prefix and name'
  const name = parts.at(-1) ?? ''
  if (name === '') return 'the name must not be empty'
  if (name.length > LONGEST_NAME) return `the name has at most ${LONGEST_NAME} characters`
  if (!NAME.test(name)) return 'the name is letters, digits, "-", "_", "." and begins and ends with a letter or digit'
  const prefix = parts.length === 2 ? (parts[0] ?? '') : null
  if (prefix === null) return null
  if (prefix.length > LONGEST_PREFIX) return `the prefix has at most ${LONGEST_PREFIX} characters`
  return SUBDOMAIN.test(prefix) ? null : 'the prefix is a DNS name in small letters'
}

/** What is wrong with a label's or taint's value; `null` for nothing. An empty value is allowed. */
export function valueRule(value: string): string | null {
  if (value === '') return null
  if (value.length > LONGEST_NAME) return `the value has at most ${LONGEST_NAME} characters`
  return NAME.test(value)
    ? null
    : 'the value is empty or letters, digits, "-", "_", "." and begins and ends with a letter or digit'
}

export function labelBreaches(labels: Readonly<Record<string, string>>): readonly Breach[] {
  const entries = Object.entries(labels)
  if (entries.length > MOST_LABELS) return [{ key: 'labels', rule: `at most ${MOST_LABELS} labels` }]
  return entries.flatMap(([key, value]) => breach(key, keyRule(key) ?? valueRule(value)))
}

export function taintBreaches(taints: readonly Taint[]): readonly Breach[] {
  if (taints.length > MOST_TAINTS) return [{ key: 'taints', rule: `at most ${MOST_TAINTS} taints` }]
  const seen = new Set<string>()
  return taints.flatMap(({ key, value, effect }) => {
    const twice = seen.has(`${key} ${effect}`)
    seen.add(`${key} ${effect}`)
    return breach(key, keyRule(key) ?? valueRule(value) ?? (twice ? 'the same key and effect only once' : null))
  })
}

export function placeBreaches(place: Place): readonly (Breach & { readonly value: string })[] {
  return (['rack', 'spine'] as const).flatMap((key) => {
    const value = place[key]
    const rule = value === null ? null : placeRule(value)
    return rule === null || value === null ? [] : [{ key, rule, value }]
  })
}

function placeRule(value: string): string | null {
  if (value === '') return 'it must not be empty'
  if ([...value].length > LONGEST_NAME) return `it has at most ${LONGEST_NAME} characters`
  if (/\p{Cc}/u.test(value)) return 'it has no control characters'
  return value.trim() === value ? null : 'it has no blanks at either end'
}

function breach(key: string, rule: string | null): readonly Breach[] {
  return rule === null ? [] : [{ key, rule }]
}
