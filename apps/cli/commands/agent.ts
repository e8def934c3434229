import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { node } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { common, dataOf, isJson, printJson } from '../output.ts'
import { serverAddress } from '../server-address.ts'
import { paths } from '../settings.ts'
import { agentLock, runAgent } from '../up/agent.ts'
import { runningFactory } from '../up/lock.ts'
import { addTokens } from './agent-token.ts'
import { printFacts } from './fleet-words.ts'
import { nodePath } from './references.ts'

interface JoinFlags {
  readonly token?: string
  readonly run?: false
  readonly insecure?: true
}

export function addAgent(program: Command): void {
  const agent = common(
    program.command('agent').description('The process on each node: how nodes join, and how this one does'),
    'medley agent status',
  )
  addTokens(agent)
  common(
    agent
      .command('join')
      .description('Make this machine a node of a server, and run the agent')
      .argument('<url>', 'of the server')
      .option(
        '--token <token>',
        'join token, made on the server with `medley agent token create` (default: $MEDLEY_JOIN_TOKEN)',
      )
      .option('--no-run', 'only join; `medley agent run` starts it later')
      .option('--insecure', 'allow a plain-text server beyond this machine'),
    'medley agent join https://medley.example.com --token mjt_...',
  ).action(async (address: string, flags: JoinFlags, command: Command) => {
    const serverUrl = serverAddress(address, flags.insecure === true)
    const token = flags.token ?? process.env.MEDLEY_JOIN_TOKEN
    if (token === undefined)
      throw new CliError(2, 'Give the join token: --token mjt_... (made on the server with: medley agent token create)')
    const data = ownData(command)
    const joined = await joinAs(data, { serverUrl, token })
    const told = { nodeId: joined.nodeId, serverUrl: joined.serverUrl, instanceId: joined.instanceId }
    if (isJson(command)) printJson(told)
    else process.stdout.write(`This machine is ${joined.nodeId} of ${joined.serverUrl}\n`)
    if (flags.run !== false) await runAgent(data, isJson(command))
    else if (!isJson(command)) process.stdout.write(`Start its agent with: medley agent run --data ${data}\n`)
  })
  common(
    agent.command('run').description('Run the agent of a machine that has joined, until Ctrl-C'),
    'medley agent run --data /var/lib/medley',
  ).action(async (_flags: unknown, command: Command) => {
    const data = ownData(command)
    if (credentialsOf(data)?.joined === null || credentialsOf(data) === null)
      throw new CliError(
        5,
        `This machine has not joined a server yet (${data}). Join with: medley agent join URL --token T`,
      )
    await runAgent(data, isJson(command))
  })
  common(
    agent.command('status').description('What this machine’s agent is, and whether it runs'),
    'medley agent status --json',
  ).action(async (_flags: unknown, command: Command) => {
    await status(command)
  })
}

/** A data directory that no factory uses: a factory has an agent of its own. */
function ownData(command: Command): string {
  const data = dataOf(command)
  if (runningFactory(paths(data).lock) === null) return data
  throw new CliError(
    5,
    `A factory runs on ${data}, and its own agent with it. Choose another directory with --data DIR.`,
  )
}

async function joinAs(data: string, { serverUrl, token }: { serverUrl: string; token: string }) {
  const [{ joinServer }, { AppError, toProblem }] = await Promise.all([
    import('@medley/agent'),
    import('@medley/kernel'),
  ])
  try {
    return await joinServer({ serverUrl, token, dataDirectory: paths(data).agent })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { title, hint, status, code } = toProblem(error, 'en')
    // A refused token is a matter of rights; everything else may work the next time.
    throw new CliError(
      status < 500 && status !== 429 ? 4 : 5,
      `${title}
${hint} [${code}]`,
      code,
    )
  }
}

const credentialsFile = z.object({
  joined: z.object({ serverUrl: z.string(), nodeId: z.string(), instanceId: z.string() }).nullable(),
})

function credentialsOf(data: string): z.infer<typeof credentialsFile> | null {
  const file = join(paths(data).agent, 'agent', 'credentials.json')
  try {
    return credentialsFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'EACCES') throw new CliError(4, `${file} belongs to another user. Run as that user.`)
    throw new CliError(1, `${file} is not as it was written. Move it away and join again: medley agent join URL`)
  }
}

async function status(command: Command): Promise<void> {
  const data = dataOf(command)
  const factory = runningFactory(paths(data).lock)
  const own = runningFactory(agentLock(data))
  const joined = credentialsOf(data)?.joined ?? null
  if (joined === null && factory === null)
    throw new CliError(
      5,
      `This machine has not joined a server yet (${data}). Join with: medley agent join URL --token T`,
    )
  // Only the factory's own data directory holds the right to ask the server.
  const seen = factory === null || joined === null ? null : await connect(data).get(nodePath(joined.nodeId), node)
  const answer = {
    nodeId: joined?.nodeId ?? null,
    serverUrl: joined?.serverUrl ?? null,
    runsUnder: factory !== null ? ('factory' as const) : own !== null ? ('agent' as const) : null,
    pid: factory?.pid ?? own?.pid ?? null,
    seenByServer: seen === null ? null : { state: seen.state, lastSeenAt: seen.lastSeenAt, chips: seen.chipCount },
  }
  if (isJson(command)) return printJson(answer)
  printFacts({
    node: answer.nodeId ?? 'not joined yet',
    server: answer.serverUrl ?? '—',
    agent:
      answer.runsUnder === null
        ? `does not run; start it with: medley agent run --data ${data}`
        : `runs under ${answer.runsUnder === 'factory' ? 'the factory' : '`medley agent`'} (pid ${answer.pid})`,
    'seen by the server': seen === null ? '—' : `${seen.state}, ${seen.chipCount} chips, last ${seen.lastSeenAt}`,
  })
}
