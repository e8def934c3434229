import { auditEntry } from '@medley/server/fleet-schemas'
import { page } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect, withQuery } from '../api-client.ts'
import { oneOf, pastTime, wholeNumber } from '../arguments.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'

interface AuditFlags {
  readonly action?: string
  readonly subject?: string
  readonly outcome?: string
  readonly from?: string
  readonly to?: string
  readonly limit: string
  readonly cursor?: string
}

export function addAudit(program: Command): void {
  common(
    program
      .command('audit')
      .description('Who did what or tried to, newest first')
      .option('--action <action>', 'such as join-token.use')
      .option('--subject <id>', 'what it was done to')
      .option('--outcome <outcome>', 'done, denied or failed')
      .option('--from <time>', 'not before: 2027-01-31, or 24h for a day back')
      .option('--to <time>', 'before')
      .option('--limit <number>', 'at most 500', '50')
      .option('--cursor <cursor>', 'where an earlier answer ended'),
    'medley audit --outcome denied --from 7d',
  ).action(async (flags: AuditFlags, command: Command) => {
    const query = {
      action: flags.action,
      subject: flags.subject,
      outcome:
        flags.outcome === undefined ? undefined : oneOf('--outcome', flags.outcome, auditEntry.shape.outcome.options),
      from: flags.from === undefined ? undefined : pastTime('--from', flags.from),
      to: flags.to === undefined ? undefined : pastTime('--to', flags.to),
      limit: String(wholeNumber('--limit', flags.limit, 1, 500)),
      cursor: flags.cursor,
    }
    const entries = await connect(dataOf(command)).get(withQuery('/api/v1/audit', query), page(auditEntry))
    if (isJson(command)) return printJson(entries)
    printTable(
      ['WHEN', 'WHO', 'DID', 'TO', 'OUTCOME', 'FROM'],
      entries.items.map((entry) => [
        entry.at,
        `${entry.actor.kind} ${entry.actor.id}`,
        entry.action,
        entry.subject ?? '—',
        entry.code === null ? entry.outcome : `${entry.outcome} (${entry.code})`,
        entry.from ?? '—',
      ]),
      'Nothing of that kind was done.',
    )
    if (entries.nextCursor) process.stdout.write(`more: --cursor ${entries.nextCursor}\n`)
  })
}
