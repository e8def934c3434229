/** Place in a list that is ordered by time and id, newest first. */
export interface Cursor {
  readonly startedAtMs: number
  readonly id: string
}

export function encodeCursor({ startedAtMs, id }: Cursor): string {
  return `${startedAtMs.toString(36)}.${id}`
}

/** Null where the text is no cursor. */
export function decodeCursor(text: string): Cursor | null {
  const match = /^(-?[0-9a-z]{1,11})\.(alert_[0-9a-f-]{36})$/.exec(text)
  const startedAtMs = Number.parseInt(match?.[1] ?? '', 36)
  return match?.[2] && Math.abs(startedAtMs) <= 8.64e15 ? { startedAtMs, id: match[2] } : null
}
