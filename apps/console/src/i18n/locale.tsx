import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { type Locale, locales } from './locales.ts'

const storageKey = 'medley.lang'

function isLocale(value: string | null): value is Locale {
  return locales.some((locale) => locale === value)
}

/** `?lang=` wins because a link may name its language; then the reader's last choice; then the browser's. */
function initialLocale(): Locale {
  const asked = new URLSearchParams(window.location.search).get('lang')
  if (isLocale(asked)) return asked
  const stored = window.localStorage.getItem(storageKey)
  if (isLocale(stored)) return stored
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

/** For code outside React, such as the API client's `Accept-Language`. */
export function currentLocale(): Locale {
  return document.documentElement.lang === 'zh-CN' ? 'zh-CN' : 'en'
}

interface LocaleChoice {
  readonly locale: Locale
  readonly choose: (locale: Locale) => void
}

const LocaleContext = createContext<LocaleChoice>({ locale: 'en', choose: () => undefined })

export function LocaleProvider({ children }: { readonly children: ReactNode }) {
  const [locale, choose] = useState(() => {
    const chosen = initialLocale()
    // Set before the first request leaves, so that its errors already come in this language.
    document.documentElement.lang = chosen
    return chosen
  })
  useEffect(() => {
    document.documentElement.lang = locale
    window.localStorage.setItem(storageKey, locale)
  }, [locale])
  const value = useMemo(() => ({ locale, choose }), [locale])
  return <LocaleContext value={value}>{children}</LocaleContext>
}

export function useLocale(): LocaleChoice {
  return useContext(LocaleContext)
}
