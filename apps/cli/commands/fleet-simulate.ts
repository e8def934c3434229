import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { createdJoinToken, node } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import { ZodError } from 'zod'
import { type ApiClient, connect } from '../api-client.ts'
import { span, wholeNumber } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { common, dataOf, isJson } from '../output.ts'
import { serverAddress } from '../server-address.ts'
import { releaseLock, takeLock } from '../up/lock.ts'
import { stopSignal } from '../up/stop-signal.ts'
import { nodePath } from './references.ts'

type Agent = typeof import('@medley/agent')
type Plan = ReturnType<Agent['parsePlan']>
type Progress = import('@medley/agent').SimulationProgress

interface SimulateFlags {
  readonly plan: string
  readonly server?: string
  readonly token?: string
  readonly duration?: string
  readonly keep?: string
  readonly insecure?: true
}

export function addSimulate(fleet: Command): void {
  common(
    fleet
      .command('simulate')
      .description('Run a fleet without hardware: real agent connections, invented chips, marked simulated everywhere')
      .requiredOption('--plan <file>', 'nodes, products, load and faults, as YAML or JSON')
      .option('--server <url>', 'another machine’s server; needs --token for the first run')
      .option('--token <token>', 'join token made with --simulated (default: $MEDLEY_JOIN_TOKEN, or made here)')
      .option('--duration <span>', 'end after this long: 300 (seconds), 90s, 10m; else by Ctrl-C')
      .option(
        '--keep <dir>',
        'where its keys lie, so that it comes back as the same nodes (default: by the plan’s name)',
      )
      .option('--insecure', 'allow a plain-text server beyond this machine'),
    'medley fleet simulate --plan bench/fleet/plans/demo.yaml --duration 10m',
  ).action(async (flags: SimulateFlags, command: Command) => {
    const durationMs = flags.duration === undefined ? null : duration(flags.duration)
    const agent = await import('@medley/agent')
    const plan = await readPlan(agent, flags.plan)
    const there = flags.server === undefined ? null : serverAddress(flags.server, flags.insecure === true)
    const data = dataOf(command)
    const client = there === null ? connect(data) : null
    const directory = resolve(flags.keep ?? join(data, 'simulated', nameOf(flags.plan, there)))
    const lock = join(directory, 'lock.json')
    if (takeLock(lock, { host: '', port: 0, gatewayPort: 0 }).kind === 'busy')
      throw new CliError(5, `This fleet is being simulated already, from ${directory}. Choose another with --keep DIR.`)
    const stop = stopSignal()
    if (durationMs !== null) setTimeout(() => stop.forget(), durationMs).unref()
    const report = reporter(isJson(command))
    try {
      const last = await agent.runSimulatedFleet({
        serverUrl: there ?? client?.baseUrl ?? '',
        joinToken: () => joinToken(flags, client, plan),
        plan,
        directory,
        signal: stop.signal,
        onProgress: report.show,
        ...(client === null ? {} : { onJoined: (joined) => describe(client, joined) }),
      })
      report.end(last)
    } catch (error) {
      throw error instanceof agent.JoinRefusedError ? refused(error) : error
    } finally {
      releaseLock(lock)
      stop.forget()
    }
  })
}

async function readPlan(agent: Agent, file: string): Promise<Plan> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CliError(error.code === 'ENOENT' ? 3 : 4, `The plan ${file} cannot be read (${error.code}).`)
  })
  try {
    return agent.parsePlan(text)
  } catch (error) {
    if (error instanceof ZodError) {
      const faults = error.issues.map(({ path, message }) => `\n  ${path.join('.') || 'plan'}: ${message}`)
      throw new CliError(2, `The plan ${file} does not fit:${faults.join('')}`)
    }
    if (error instanceof SyntaxError)
      throw new CliError(2, `The plan ${file} is neither YAML nor JSON: ${error.message}`)
    throw error
  }
}

function duration(text: string): number {
  return /^\d+$/.test(text) ? wholeNumber('--duration', text, 1, 30 * 86_400) * 1_000 : span('--duration', text)
}

/** Two servers or two plans are two fleets. */
function nameOf(plan: string, server: string | null): string {
  const name = basename(plan).replace(/\.[^.]*$/, '')
  return server === null ? name : `${name}-${createHash('sha256').update(server).digest('hex').slice(0, 8)}`
}

/** A token of the factory on this machine, good for each node of the plan once; nodes that joined before need none. */
async function joinToken(flags: SimulateFlags, client: ApiClient | null, plan: Plan): Promise<string | null> {
  const given = flags.token ?? process.env.MEDLEY_JOIN_TOKEN
  if (given !== undefined || client === null) return given ?? null
  const uses = plan.groups.reduce((sum, { nodes }) => sum + nodes, 0)
  if (uses > 2_000)
    throw new CliError(
      2,
      `The plan has ${uses} nodes; one token lets 2,000 join. Split it into plans of at most 2,000.`,
    )
  const wish = { note: 'medley fleet simulate', ttlSeconds: 3_600, uses, simulated: true }
  return (await client.send('POST', '/api/v1/join-tokens', wish, createdJoinToken)).token
}

/** An agent does not know its rack; the plan does. */
async function describe(
  client: ApiClient,
  joined: { nodeId: string; rack: string; spine: string; labels: Readonly<Record<string, string>> },
): Promise<void> {
  const { nodeId, rack, spine, labels } = joined
  await client.send('PATCH', nodePath(nodeId), { place: { rack, spine }, labels }, node)
}

function refused({ status, code, message }: InstanceType<Agent['JoinRefusedError']>): CliError {
  return new CliError(
    status === 401 || status === 403 ? 4 : 5,
    `A simulated node was refused: ${message}\n` +
      'Make a token for it on the server: medley agent token create --simulated --uses NODES',
    code,
  )
}

/** One line that changes on a terminal, one each ten seconds elsewhere; for programs one of JSON each second. */
function reporter(json: boolean) {
  const terminal = process.stdout.isTTY === true && !json
  let beats = 0
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
  if (!json) process.stdout.write('SIMULATED fleet: none of these chips exists. End it with Ctrl-C.\n')
  const line = (progress: Progress) =>
    `simulated: ${progress.connected}/${progress.nodes} nodes connected, ${progress.chips} chips; samples ` +
    `${progress.acknowledged} stored, ${progress.waiting} waiting, ${progress.dropped} dropped` +
    (progress.refused > 0 ? `; ${progress.refused} nodes refused` : '')
  return {
    show: (progress: Progress): void => {
      if (json) print({ simulated: true, ended: false, ...progress })
      else if (terminal) process.stdout.write(`\r\u001b[2K${line(progress)}`)
      else if (beats % 10 === 0) process.stdout.write(`${line(progress)}\n`)
      beats += 1
    },
    end: (progress: Progress): void => {
      if (json) print({ simulated: true, ended: true, ...progress })
      else process.stdout.write(`${terminal ? '\n' : ''}ended. ${line(progress)}\n`)
    },
  }
}
