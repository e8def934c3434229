export interface UsageSearch {
  readonly model?: string
  readonly outcome?: string
  readonly requestId?: string
  readonly cursor?: string
}

const names = ['model', 'outcome', 'requestId', 'cursor'] as const

/** The filters in an address; what else stands there, such as the language, is not ours. */
export function usageSearch(search: Readonly<Record<string, unknown>> | UsageSearch): UsageSearch {
  const given: Readonly<Record<string, unknown>> = { ...search }
  return Object.fromEntries(names.flatMap((name) => (typeof given[name] === 'string' ? [[name, given[name]]] : [])))
}
