import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { type Fact, FactList } from '../../shared/ui/fact-list.tsx'
import { modelMessages } from './models.messages.ts'

type Leaf = string | number | boolean | null

/** Paths and values of a JSON value; lists of plain values stay together. */
function leavesOf(value: unknown, path = ''): readonly (readonly [string, Leaf])[] {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return [[path, value]]
  }
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object' || entry === null)) {
    return [[path, value.length === 0 ? null : value.join(', ')]]
  }
  if (typeof value !== 'object') return []
  return Object.entries(value ?? {}).flatMap(([name, entry]) => leavesOf(entry, path === '' ? name : `${path}.${name}`))
}

/** A JSON value of any shape as readable facts; long texts take the whole line. */
export function JsonFacts({ value }: { readonly value: unknown }) {
  const t = useText(modelMessages)
  const format = useFormat()
  const facts = leavesOf(value).map(([path, leaf]): Fact => {
    if (leaf === null) return { name: path, value: <span className="muted">{t('none')}</span> }
    if (typeof leaf === 'boolean') return { name: path, value: t(leaf ? 'yes' : 'no') }
    // The names carry their unit, as everywhere in the code.
    const text = typeof leaf === 'number' && /bytes/i.test(path) ? format.bytes(leaf) : String(leaf)
    const wide = text.length > 40
    return { name: path, value: wide ? <code className="long">{text}</code> : text, wide }
  })
  return <FactList facts={facts} />
}
