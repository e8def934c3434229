export { canonicalJson, type Digest, digestOf, type Json } from './digest.ts'
export {
  AppError,
  type AppErrorOptions,
  defineErrors,
  type ErrorDefinition,
  type ErrorParams,
  type FieldError,
  type Locale,
  type Localized,
  localeFrom,
  type Problem,
  toProblem,
} from './errors.ts'
export {
  type Clock,
  createIdFactory,
  type Id,
  type IdFactory,
  type IdKind,
  isId,
  type RandomBytes,
  toUrn,
} from './ids.ts'
export { type Actor, type Scope, type SystemScope, systemScope, type TenantScope } from './scope.ts'
