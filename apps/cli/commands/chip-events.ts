import type { ChipEvent } from '@medley/server/fleet-schemas'
import { describeCode } from '../codes.ts'
import { printTable } from '../output.ts'

/** A page of events as a table, and how to get the next. */
export function printEvents(
  { items, nextCursor }: { readonly items: readonly ChipEvent[]; readonly nextCursor: string | null },
  whenEmpty: string,
): void {
  printTable(
    ['WHEN', 'CHIP', 'WHAT', 'FROM', 'TO', 'WHY', 'BY'],
    items.map((event) => [
      event.at,
      event.chipId,
      event.kind,
      event.from ?? '—',
      event.to ?? '—',
      event.evidence.map(describeCode).join('; ') || '—',
      event.by ?? '—',
    ]),
    whenEmpty,
  )
  if (nextCursor) process.stdout.write(`more: --cursor ${nextCursor}\n`)
}
