import type { UsageEvent } from '../../shared/api/types.ts'

type Cell = string | number | boolean | null

const columns: readonly (readonly [string, (event: UsageEvent) => Cell])[] = [
  ['occurred_at', (event) => event.occurredAt],
  ['request_id', (event) => event.requestId],
  ['key_id', (event) => event.keyId],
  ['endpoint', (event) => event.endpoint],
  ['model', (event) => event.model],
  ['revision_id', (event) => event.revisionId],
  ['chip_uuids', (event) => event.chipUuids.join(' ')],
  ['outcome', (event) => event.outcome],
  ['http_status', (event) => event.httpStatus],
  ['error_code', (event) => event.errorCode],
  ['stream', (event) => event.stream],
  ['prompt_tokens', (event) => event.promptTokens],
  ['cached_tokens', (event) => event.cachedTokens],
  ['completion_tokens', (event) => event.completionTokens],
  ['time_to_first_token_ms', (event) => event.timeToFirstTokenMs],
  ['duration_ms', (event) => event.durationMs],
]

/** Unknown stays an empty cell, never 0. Text that a spreadsheet would run as a formula is disarmed. */
function cell(value: Cell): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8. */
export function usageCsv(events: readonly UsageEvent[]): string {
  const head = columns.map(([name]) => name).join(',')
  const lines = events.map((event) => columns.map(([, read]) => cell(read(event))).join(','))
  return `\ufeff${[head, ...lines].join('\r\n')}\r\n`
}
