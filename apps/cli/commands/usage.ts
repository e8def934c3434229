import { page, usageEvent, usageSummary } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect } from '../api-client.ts'
import { common, dataOf, isJson, number, printJson, printTable } from '../output.ts'

export function addUsage(program: Command): void {
  const usage = common(
    program
      .command('usage')
      .description('Sums of usage; `usage events` lists each request')
      .option('--by <group>', 'model, key or day', 'model')
      .option('--days <number>', 'how many days back', '7'),
    'medley usage --by day --days 30',
  ).action(async (flags: { by: string; days: string }, command: Command) => {
    const query = new URLSearchParams({ groupBy: flags.by, days: flags.days })
    const summary = await connect(dataOf(command)).get(`/api/v1/usage/summary?${query}`, usageSummary)
    if (isJson(command)) return printJson(summary)
    printTable(
      [flags.by.toUpperCase(), 'REQUESTS', 'PROMPT TOKENS', 'CACHED', 'COMPLETION TOKENS', 'UNKNOWN'],
      summary.groups.map((group) =>
        [
          group.group ?? '—',
          group.requests,
          group.promptTokens,
          group.cachedTokens,
          group.completionTokens,
          group.unknownRequests,
        ].map(String),
      ),
      'No request yet. Ask one with: medley chat "Hello"',
    )
  })
  common(
    usage
      .command('events')
      .description('Each request, newest first')
      .option('--limit <number>', 'at most 500', '50')
      .option('--request <id>', 'only the request of this id, as in the header X-Request-Id')
      .option('--cursor <cursor>'),
    'medley usage events --limit 20',
  ).action(async (flags: { limit: string; request?: string; cursor?: string }, command: Command) => {
    const query = new URLSearchParams({
      limit: flags.limit,
      ...(flags.request ? { requestId: flags.request } : {}),
      ...(flags.cursor ? { cursor: flags.cursor } : {}),
    })
    const events = await connect(dataOf(command)).get(`/api/v1/usage?${query}`, page(usageEvent))
    if (isJson(command)) return printJson(events)
    printTable(
      ['REQUEST', 'WHEN', 'MODEL', 'OUTCOME', 'STATUS', 'PROMPT', 'COMPLETION'],
      events.items.map((event) => [
        event.requestId,
        event.occurredAt,
        event.model ?? '—',
        event.outcome,
        String(event.httpStatus),
        number(event.promptTokens),
        number(event.completionTokens),
      ]),
      flags.request ? 'No request of this id.' : 'No request yet.',
    )
    if (events.nextCursor) process.stdout.write(`more: --cursor ${events.nextCursor}\n`)
  })
}
