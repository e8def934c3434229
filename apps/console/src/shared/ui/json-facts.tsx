import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { type Fact, FactList } from './fact-list.tsx'

const messages = defineMessages({
  none: { en: 'None', 'zh-CN': '无' },
  yes: { en: 'yes', 'zh-CN': '是' },
  no: { en: 'no', 'zh-CN': '否' },
})

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

interface JsonFactsProps {
  readonly value: unknown
  /** What stands for null: nothing chosen, unless said otherwise. */
  readonly absent?: ReactNode
}

/** A JSON value of any shape as readable facts: the short ones side by side, then the long ones, a line each. */
export function JsonFacts({ value, absent }: JsonFactsProps) {
  const t = useText(messages)
  const format = useFormat()
  const words = (path: string, leaf: string | number | boolean): string => {
    if (typeof leaf === 'boolean') return t(leaf ? 'yes' : 'no')
    if (typeof leaf === 'string') return leaf
    // The names carry their unit, as everywhere in the code.
    if (/bytes/i.test(path)) return format.bytes(leaf)
    return Number.isInteger(leaf) && leaf >= 10_000 ? format.count(leaf) : String(leaf)
  }
  const facts = leavesOf(value).map(([path, leaf]): Fact => {
    if (leaf === null) return { name: path, value: absent ?? <span className="muted">{t('none')}</span> }
    const text = words(path, leaf)
    const wide = text.length > 28
    return { name: path, value: wide ? <code className="long">{text}</code> : text, wide }
  })
  return <FactList facts={[...facts.filter((fact) => !fact.wide), ...facts.filter((fact) => fact.wide)]} />
}
