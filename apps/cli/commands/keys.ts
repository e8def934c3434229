import { apiKey, createdApiKey, page } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect } from '../api-client.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'

export function addKeys(program: Command): void {
  const keys = common(program.command('keys').description('API keys of the gateway'), 'medley keys --json').action(
    async (_flags: unknown, command: Command) => {
      const { items } = await connect(dataOf(command)).get('/api/v1/keys?limit=500', page(apiKey))
      if (isJson(command)) return printJson(items)
      printTable(
        ['KEY', 'NAME', 'BEGINS WITH', 'CREATED', 'STATE'],
        items.map((key) => [key.id, key.name, `mk_${key.prefix}`, key.createdAt, key.revokedAt ? 'revoked' : 'valid']),
        'No key yet. Create one with: medley keys create --name NAME',
      )
    },
  )
  common(
    keys
      .command('create')
      .description('Create a key; it is shown once')
      .requiredOption('--name <name>', 'what it is for'),
    'medley keys create --name "my laptop" --json',
  ).action(async (flags: { name: string }, command: Command) => {
    const created = await connect(dataOf(command)).send('POST', '/api/v1/keys', { name: flags.name }, createdApiKey)
    if (isJson(command)) printJson(created)
    else process.stdout.write(`${created.key}\n(shown once; ${created.id})\n`)
  })
  common(
    keys.command('revoke').description('Revoke a key: its next request is refused').argument('<id>'),
    'medley keys revoke key_0193...',
  ).action(async (id: string, _flags: unknown, command: Command) => {
    const revoked = await connect(dataOf(command)).send(
      'DELETE',
      `/api/v1/keys/${encodeURIComponent(id)}`,
      undefined,
      apiKey,
    )
    if (isJson(command)) printJson(revoked)
    else process.stdout.write(`revoked ${revoked.name} (${revoked.id})\n`)
  })
}
