export type Locale = 'en' | 'zh-CN'

/** A text that is shown to a person, written in both languages. */
export type Localized = Readonly<Record<Locale, string>>

export interface ErrorDefinition {
  /** HTTP status at the edge. */
  readonly status: number
  readonly title: Localized
  /** What the reader should do next. `{name}` is replaced by the parameter of that name, in title and hint alike. */
  readonly hint: Localized
}

export interface FieldError {
  readonly path: string
  readonly message: string
}

export type ErrorParams = Readonly<Record<string, string | number | boolean | null>>

export interface AppErrorOptions {
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly cause?: unknown
}

const BRAND = Symbol.for('medley.app-error')

/** An expected failure with a stable code; `instanceof` works across bundled copies by a global brand. */
export class AppError extends Error {
  readonly code: string
  readonly definition: ErrorDefinition
  readonly params: ErrorParams
  readonly detail: string | null
  readonly errors: readonly FieldError[]
  readonly [BRAND] = true

  constructor(code: string, definition: ErrorDefinition, params: ErrorParams, options: AppErrorOptions = {}) {
    super(`${code}: ${options.detail ?? fill(definition.title.en, params)}`, { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.definition = definition
    this.params = params
    this.detail = options.detail ?? null
    this.errors = options.errors ?? []
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

export type ErrorFactory = (params?: ErrorParams, options?: AppErrorOptions) => AppError

export type ErrorTable<T extends Record<string, ErrorDefinition>> = {
  readonly [K in keyof T]: ErrorFactory
} & { readonly $definitions: Readonly<Record<string, ErrorDefinition>> }

/** Declares a module's one table of error codes; the wire code is `<module>.<key>`. */
export function defineErrors<const T extends Record<string, ErrorDefinition>>(module: string, table: T): ErrorTable<T> {
  const entries = Object.entries(table).map(([key, definition]): [string, ErrorFactory] => {
    const code = `${module}.${key}`
    return [key, (params = {}, options) => new AppError(code, definition, params, options)]
  })
  const definitions = Object.fromEntries(Object.entries(table).map(([key, value]) => [`${module}.${key}`, value]))
  return Object.assign(Object.fromEntries(entries), { $definitions: definitions }) as ErrorTable<T>
}

/** RFC 9457 problem details, with our members `code`, `errors` and `hint`. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string | null
  readonly errors: readonly FieldError[]
  readonly hint: string
}

export function toProblem(error: AppError, locale: Locale): Problem {
  return {
    type: `urn:medley:error:${error.code}`,
    title: fill(error.definition.title[locale], error.params),
    status: error.definition.status,
    code: error.code,
    detail: error.detail,
    errors: error.errors,
    hint: fill(error.definition.hint[locale], error.params),
  }
}

/** The reader's language from an Accept-Language header; English unless Chinese stands before it. */
export function localeFrom(acceptLanguage: string | null | undefined): Locale {
  const zh = acceptLanguage?.search(/\bzh\b/i) ?? -1
  const en = acceptLanguage?.search(/\ben\b/i) ?? -1
  return zh >= 0 && (en < 0 || zh < en) ? 'zh-CN' : 'en'
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole))
}
