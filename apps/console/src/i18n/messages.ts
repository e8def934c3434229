/**
 * Typed dictionaries. Every entry names every language, so a missing translation fails the type check and not the
 * reader; placeholders are read from the text, so a forgotten parameter fails it too.
 */
import { useCallback } from 'react'
import { useLocale } from './locale.tsx'
import type { Locale } from './locales.ts'

/** One sentence in every language; `{name}` marks a place to fill. */
export type Message = Readonly<Record<Locale, string>>
type Messages = Readonly<Record<string, Message>>

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never
type Arguments<Entry extends Message> = [Placeholders<Entry[Locale]>] extends [never]
  ? []
  : [Readonly<Record<Placeholders<Entry[Locale]>, string>>]

/** A feature's text under keys of its own choosing. */
export function defineMessages<const Dictionary extends Messages>(dictionary: Dictionary): Dictionary {
  return dictionary
}

/** Fills `{name}` from `params`; a name without a value stays visible, so that a gap shows instead of vanishing. */
export function fill(text: string, params: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+%?)\}/g, (whole, name: string) => params[name] ?? whole)
}

export type Translate<Dictionary extends Messages> = <Key extends keyof Dictionary>(
  key: Key,
  ...args: Arguments<Dictionary[Key]>
) => string

/** The dictionary in the reader's language. */
export function useText<Dictionary extends Messages>(dictionary: Dictionary): Translate<Dictionary> {
  const { locale } = useLocale()
  return useCallback(
    (key, ...args) => {
      const entry: Message | undefined = dictionary[key]
      return entry === undefined ? String(key) : fill(entry[locale], args[0] ?? {})
    },
    [dictionary, locale],
  )
}
