/** Place in a list that is ordered by time and id, newest first. */
export interface Cursor {
  readonly occurredAtMs: number
  readonly id: string
}

export function encodeCursor({ occurredAtMs, id }: Cursor): string {
  return `${occurredAtMs.toString(36)}.${id}`
}

/** Null where the text is no cursor. */
export function decodeCursor(text: string): Cursor | null {
  const match = /^(-?[0-9a-z]{1,11})\.(usage_[0-9a-f-]{36})$/.exec(text)
  const occurredAtMs = Number.parseInt(match?.[1] ?? '', 36)
  return match?.[2] && Math.abs(occurredAtMs) <= 8.64e15 ? { occurredAtMs, id: match[2] } : null
}
