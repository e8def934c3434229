/**
 * Sentences for the codes that the API hands out in place of sentences. A code without one is shown as it is, with
 * its parameters: an ugly line is better than a missing reason.
 */
import { useCallback } from 'react'
import type { Coded } from '../shared/api/types.ts'
import { codeSentences } from './codes.messages.ts'
import { fleetParameterWords } from './fleet-codes.messages.ts'
import { createFormat } from './format.ts'
import { useLocale } from './locale.tsx'
import type { Locale } from './locales.ts'
import { fill, type Message } from './messages.ts'

/** Steps of the start, as `server.bring-up.blocked` names them. */
const steps: Readonly<Record<string, Message>> = {
  chips: { en: 'the chips', 'zh-CN': '查找芯片' },
  model: { en: 'the model', 'zh-CN': '获取模型' },
  proving: { en: 'the proving', 'zh-CN': '测评' },
  deployment: { en: 'the deployment', 'zh-CN': '部署' },
}

/** The sentence of a code; parameters that are ratios between 0 and 1 were rounded by whoever measured them. */
export function sentenceOf(coded: Coded, locale: Locale): string {
  const entry = codeSentences[coded.code]
  if (entry !== undefined) return fill(entry[locale], shown(coded, locale)).trim()
  const params = Object.entries(coded.params).map(([name, value]) => `${name}=${value}`)
  return params.length === 0 ? coded.code : `${coded.code} (${params.join(', ')})`
}

function shown({ params }: Coded, locale: Locale): Readonly<Record<string, string>> {
  const inner = causeOf(params)
  return {
    ...rounded(params),
    ...namesOf(params, locale),
    ...percentages(params, locale),
    ...(params.needs === undefined ? {} : { needs: stepNames(params.needs, locale) }),
    cause: inner === null ? '' : sentenceOf(inner, locale),
  }
}

/** States and metrics among the parameters, in the reader's words. */
function namesOf(params: Coded['params'], locale: Locale): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, value]) => {
      const word = fleetParameterWords[name]?.[value]
      return word === undefined ? [] : [[name, word[locale]]]
    }),
  )
}

function stepNames(needs: string, locale: Locale): string {
  const names = needs.split(', ').map((name) => steps[name]?.[locale] ?? name)
  return names.join(locale === 'zh-CN' ? '、' : ', ')
}

/** The code inside a code: `detail` is JSON of the whole of it, or of its parameters beside `code`. */
function causeOf(params: Coded['params']): Coded | null {
  const inner = record(parsed(params.detail))
  if (params.code !== undefined) return { code: params.code, params: texts(inner) }
  return typeof inner.code === 'string' ? { code: inner.code, params: texts(record(inner.params)) } : null
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

/** Long fractions come as the machine wrote them; three significant digits are what a reader can use. */
function rounded(params: Coded['params']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      /^-?\d+\.\d{3,}$/.test(value) ? String(Number(Number(value).toPrecision(3))) : value,
    ]),
  )
}

function percentages(params: Coded['params'], locale: Locale): Record<string, string> {
  const { percent } = createFormat(locale)
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [`${name}%`, percent(Number(value))]))
}

export function useCoded(): (coded: Coded) => string {
  const { locale } = useLocale()
  return useCallback((coded: Coded) => sentenceOf(coded, locale), [locale])
}
