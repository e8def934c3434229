import { type ApiKey, apiKey, createdApiKey } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect, listAll } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'

export function addKeys(program: Command): void {
  const keys = common(program.command('keys').description('API keys of the gateway'), 'medley keys --json').action(
    (_flags: unknown, command: Command) => list(command),
  )
  common(keys.command('list').description('The same as `medley keys`'), 'medley keys list --json').action(
    (_flags: unknown, command: Command) => list(command),
  )
  common(
    keys
      .command('create')
      .description('Create a key; it is shown once')
      .requiredOption('--name <name>', 'what it is for')
      .option('--expires <date>', 'until when it is valid: 2027-01-31 (its beginning in UTC) or 2027-01-31T18:00Z'),
    'medley keys create --name "my laptop" --expires 2027-01-31 --json',
  ).action(async (flags: { name: string; expires?: string }, command: Command) => {
    const wanted = {
      name: flags.name,
      ...(flags.expires === undefined ? {} : { expiresAt: expiry(flags.expires) }),
    }
    const created = await connect(dataOf(command)).send('POST', '/api/v1/keys', wanted, createdApiKey)
    if (isJson(command)) printJson(created)
    else process.stdout.write(`${created.key}\n(shown once; ${created.id}, ${validity(created)})\n`)
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

async function list(command: Command): Promise<void> {
  const items = await listAll(connect(dataOf(command)), '/api/v1/keys', apiKey)
  if (isJson(command)) return printJson(items)
  printTable(
    ['KEY', 'NAME', 'BEGINS WITH', 'CREATED', 'STATE'],
    items.map((key) => [key.id, key.name, `mk_${key.prefix}`, key.createdAt, validity(key)]),
    'No key yet. Create one with: medley keys create --name NAME',
  )
}

function validity({ revokedAt, expiresAt }: ApiKey): string {
  if (revokedAt) return 'revoked'
  if (!expiresAt) return 'valid'
  return new Date(expiresAt).getTime() <= Date.now() ? `expired ${expiresAt}` : `valid until ${expiresAt}`
}

function expiry(text: string): string {
  const date = new Date(text)
  const isDate = /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())
  if (isDate && date.getTime() > Date.now()) return date.toISOString()
  throw new CliError(2, `--expires ${text} is not a date to come: write it as 2027-01-31 or 2027-01-31T18:00Z`)
}
