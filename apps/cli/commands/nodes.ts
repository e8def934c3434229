import { maintenanceWindow, type Node, node } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { type ApiClient, connect, listAll, withQuery } from '../api-client.ts'
import { futureTime, oneOf } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { bytes, common, dataOf, isJson, printJson, printTable } from '../output.ts'
import { chipCounts, keyed, printFacts } from './fleet-words.ts'
import { addNodeDescriptions } from './node-descriptions.ts'
import { findNode, nodePath } from './references.ts'

export function addNodes(program: Command): void {
  const nodes = common(
    program
      .command('nodes')
      .description('Nodes of the fleet')
      .option('--filter <text>', 'part of a host name or label')
      .option('--state <state>', 'connected, away or revoked'),
    'medley nodes --filter rack-12 --state away',
  ).action(async (flags: { filter?: string; state?: string }, command: Command) => {
    const state = flags.state === undefined ? null : oneOf('--state', flags.state, node.shape.state.options)
    const all = await listAll(connect(dataOf(command)), '/api/v1/nodes', node, { q: flags.filter })
    const wanted = all.filter((each) => state === null || each.state === state)
    if (isJson(command)) return printJson(wanted)
    printTable(
      ['NODE', 'HOST NAME', 'STATE', 'CORDON', 'RACK', 'CHIPS', 'LAST SEEN'],
      wanted.map((item) => [
        item.id,
        hostName(item),
        item.state,
        item.maintenance === null ? (item.cordon?.state ?? 'open') : `${item.cordon?.state ?? 'open'}, maintenance`,
        item.place.rack ?? '—',
        chipCounts(item.chipStates),
        item.lastSeenAt,
      ]),
      'No such node. Join one: make a token with `medley agent token create` and run its command there.',
    )
  })
  common(
    nodes.command('show').description('One node with all that is known of it').argument('<node>', 'id or host name'),
    'medley nodes show rack12-node3',
  ).action(async (word: string, _flags: unknown, command: Command) => {
    const item = await findNode(connect(dataOf(command)), word)
    if (isJson(command)) printJson(item)
    else show(item)
  })
  addCordons(nodes)
  addNodeDescriptions(nodes)
  common(
    nodes
      .command('revoke')
      .description(
        'Make the node’s key worthless and cut it off; to bring the machine back, empty the agent’s folder (DATA/agent) and join as a new node with a new token',
      )
      .argument('<node>', 'id or host name')
      .requiredOption('--reason <text>', 'kept in the audit'),
    'medley nodes revoke rack12-node3 --reason "sold"',
  ).action(async (word: string, flags: { reason: string }, command: Command) => {
    const client = connect(dataOf(command))
    const { id } = await findNode(client, word)
    done(command, await post(client, nodePath(id, '/revoke'), { reason: flags.reason }), 'is revoked')
  })
  addMaintenance(nodes)
}

function addCordons(nodes: Command): void {
  const withReason = (name: string, description: string) =>
    nodes
      .command(name)
      .description(description)
      .argument('<node>', 'id or host name')
      .option('--reason <text>', 'kept with the node', '')
  for (const { name, description, drain, told } of [
    { name: 'cordon', description: 'Place nothing new on the node', drain: false, told: 'takes nothing new' },
    { name: 'drain', description: 'Cordon the node and end what runs there', drain: true, told: 'is being drained' },
  ]) {
    common(withReason(name, description), `medley nodes ${name} rack12-node3 --reason "new firmware"`).action(
      async (word: string, flags: { reason: string }, command: Command) => {
        const client = connect(dataOf(command))
        const { id } = await findNode(client, word)
        done(command, await post(client, nodePath(id, '/cordon'), { reason: flags.reason, drain }), told)
      },
    )
  }
  common(
    nodes.command('uncordon').description('Place work on the node again').argument('<node>', 'id or host name'),
    'medley nodes uncordon rack12-node3',
  ).action(async (word: string, _flags: unknown, command: Command) => {
    const client = connect(dataOf(command))
    const { id } = await findNode(client, word)
    done(command, await post(client, nodePath(id, '/uncordon'), {}), 'takes work again')
  })
}

interface MaintenanceFlags {
  readonly from: string
  readonly to?: string
  readonly reason?: string
  readonly cancel?: string
}

function addMaintenance(nodes: Command): void {
  common(
    nodes
      .command('maintenance')
      .description('Plan a maintenance window; without --to, list those planned')
      .argument('[node]', 'id or host name')
      .option('--from <time>', 'now, +2h, or 2027-01-31T18:00Z', 'now')
      .option('--to <time>', '+4h, or 2027-01-31T22:00Z')
      .option('--reason <text>', 'what is done')
      .option('--cancel <window>', 'call off the window of this id'),
    'medley nodes maintenance rack12-node3 --from +1h --to +3h --reason "new firmware"',
  ).action(async (word: string | undefined, flags: MaintenanceFlags, command: Command) => {
    const planned = flags.to === undefined ? null : newWindow(word, flags)
    const client = connect(dataOf(command))
    if (flags.cancel !== undefined) {
      const path = `/api/v1/maintenance/${encodeURIComponent(flags.cancel)}`
      await client.send('DELETE', path, undefined, z.unknown())
      if (isJson(command)) return printJson({ id: flags.cancel, cancelled: true })
      return void process.stdout.write(`called off ${flags.cancel}\n`)
    }
    const of = word === undefined ? null : await findNode(client, word)
    if (planned !== null && of !== null) {
      const window = await client.send('POST', nodePath(of.id, '/maintenance'), planned, maintenanceWindow)
      if (isJson(command)) return printJson(window)
      return void process.stdout.write(`${of.facts.hostname}: ${window.startsAt} to ${window.endsAt} (${window.id})\n`)
    }
    const { items: windows } = await client.get(withQuery('/api/v1/maintenance', { node: of?.id }), windowList)
    if (isJson(command)) return printJson(windows)
    printTable(
      ['WINDOW', 'NODE', 'FROM', 'TO', 'REASON', 'BY'],
      windows.map((window) => [
        window.id,
        window.nodeId,
        window.startsAt,
        window.endsAt,
        window.reason,
        window.createdBy,
      ]),
      'Nothing is planned. Plan one with: medley nodes maintenance NODE --to +2h --reason TEXT',
    )
  })
}

const windowList = z.object({ items: z.array(maintenanceWindow) })

function newWindow(word: string | undefined, { from, to, reason }: MaintenanceFlags) {
  if (word === undefined) throw new CliError(2, 'Name the node: medley nodes maintenance NODE --to +2h --reason TEXT')
  if (reason === undefined) throw new CliError(2, 'Say what is done: --reason TEXT')
  return { startsAt: futureTime('--from', from), endsAt: futureTime('--to', to ?? ''), reason }
}

function post(client: ApiClient, path: string, body: unknown): Promise<Node> {
  return client.send('POST', path, body, node)
}

function done(command: Command, changed: Node, told: string): void {
  if (isJson(command)) printJson(changed)
  else process.stdout.write(`${hostName(changed)} (${changed.id}) ${told}\n`)
}

function show(item: Node): void {
  const { facts, cordon, maintenance } = item
  printFacts({
    node: item.id,
    'host name': hostName(item),
    owner: item.tenantId ?? 'the centre, for all tenants',
    state: `${item.state} since ${item.stateSince}`,
    cordon: cordon === null ? 'open' : `${cordon.state} since ${cordon.since} by ${cordon.by}: ${cordon.reason}`,
    maintenance: maintenance === null ? 'none' : `until ${maintenance.endsAt}: ${maintenance.reason}`,
    rack: item.place.rack ?? '—',
    spine: item.place.spine ?? '—',
    labels: keyed(item.labels) || '—',
    taints: item.taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`).join(', ') || '—',
    chips: chipCounts(item.chipStates),
    system: `${facts.operatingSystem}, kernel ${facts.kernel}, ${facts.architecture}`,
    processors: `${facts.cpuCount}`,
    memory: bytes(facts.memoryBytes),
    agent: facts.agentVersion,
    'clock off by': item.clockSkewMs === null ? '—' : `${item.clockSkewMs} ms`,
    'first seen': item.firstSeenAt,
    'last seen': item.lastSeenAt,
  })
}

function hostName({ facts, simulated }: Node): string {
  return simulated ? `${facts.hostname} (simulated)` : facts.hostname
}
