/** Reads filters from an address: only the names asked for, only texts; what else stands there is not ours. */
export function searchOf<const Names extends readonly string[]>(...names: Names) {
  type Search = { readonly [Name in Names[number]]?: string }
  return (search: Readonly<Record<string, unknown>> | Search): Search => {
    const given: Readonly<Record<string, unknown>> = { ...search }
    const found = names.flatMap((name) => {
      const value = given[name]
      // The router reads `1` and `true` in an address as what they look like.
      const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
      return typeof text === 'string' && text !== '' ? [[name, text] as const] : []
    })
    const result: Search = Object.fromEntries(found) as Search
    return result
  }
}

/** The same filters with one changed; an empty value takes it out. */
export function withFilter<Search extends object>(search: Search, name: keyof Search, value: string): Search {
  const { [name]: _, ...rest } = search
  return (value === '' ? rest : { ...rest, [name]: value }) as Search
}
