import { createdJoinToken, type JoinToken, joinToken } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { connect, listAll } from '../api-client.ts'
import { span, wholeNumber } from '../arguments.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'

interface CreateFlags {
  readonly note: string
  readonly ttl: string
  readonly uses: string
  readonly dedicated?: true
  readonly simulated?: true
}

export function addTokens(agent: Command): void {
  const token = common(
    agent.command('token').description('Short-lived tokens by which nodes join'),
    'medley agent token --json',
  ).action((_flags: unknown, command: Command) => list(command))
  common(token.command('list').description('The same as `medley agent token`'), 'medley agent token list').action(
    (_flags: unknown, command: Command) => list(command),
  )
  common(
    token
      .command('create')
      .description('Create a token; it is shown once, with the command to run on the node')
      .option('--note <text>', 'what it is for', '')
      .option('--ttl <span>', 'how long nodes may join by it, at most 1d', '1h')
      .option('--uses <number>', 'how many nodes may join by it, at most 2000', '1')
      .option('--dedicated', 'the nodes are the tenant’s own instead of the centre’s')
      .option('--simulated', 'for `medley fleet simulate`: the nodes have no hardware and are marked so for ever'),
    'medley agent token create --note "rack 12" --uses 8 --ttl 2h',
  ).action(async (flags: CreateFlags, command: Command) => {
    const wish = {
      note: flags.note,
      ttlSeconds: Math.round(span('--ttl', flags.ttl) / 1_000),
      uses: wholeNumber('--uses', flags.uses, 1, 2_000),
      dedicated: flags.dedicated === true,
      simulated: flags.simulated === true,
    }
    const created = await connect(dataOf(command)).send('POST', '/api/v1/join-tokens', wish, createdJoinToken)
    if (isJson(command)) return printJson(created)
    process.stdout.write(`On the node, run:\n\n  ${created.command}\n\n`)
    process.stdout.write(`(shown once; ${created.id}, ${standing(created)})\n`)
  })
  common(
    token.command('revoke').description('Revoke a token: no further node joins by it').argument('<id>'),
    'medley agent token revoke join_0193...',
  ).action(async (id: string, _flags: unknown, command: Command) => {
    const path = `/api/v1/join-tokens/${encodeURIComponent(id)}`
    await connect(dataOf(command)).send('DELETE', path, undefined, z.unknown())
    if (isJson(command)) printJson({ id, revoked: true })
    else process.stdout.write(`revoked ${id}\n`)
  })
}

async function list(command: Command): Promise<void> {
  const items = await listAll(connect(dataOf(command)), '/api/v1/join-tokens', joinToken)
  if (isJson(command)) return printJson(items)
  printTable(
    ['TOKEN', 'NOTE', 'FOR', 'CREATED', 'STATE'],
    items.map((each) => [
      each.id,
      each.note || '—',
      each.simulated ? 'simulated nodes' : each.dedicated ? 'the tenant’s own nodes' : 'nodes for all',
      each.createdAt,
      standing(each),
    ]),
    'No token yet. Create one with: medley agent token create',
  )
}

function standing({ revokedAt, expiresAt, usesLeft }: JoinToken): string {
  if (revokedAt) return 'revoked'
  if (new Date(expiresAt).getTime() <= Date.now()) return `expired ${expiresAt}`
  return usesLeft === 0 ? 'used up' : `good for ${usesLeft} ${usesLeft === 1 ? 'node' : 'nodes'} until ${expiresAt}`
}
