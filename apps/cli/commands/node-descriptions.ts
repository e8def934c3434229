import { type Node, node, taint } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import type { z } from 'zod'
import { connect } from '../api-client.ts'
import { oneOf } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { common, dataOf, isJson, printJson } from '../output.ts'
import { keyed } from './fleet-words.ts'
import { findNode, nodePath } from './references.ts'

type Taint = z.infer<typeof taint>

/** What an operator says of a node: labels, taints, where it stands. */
export function addNodeDescriptions(nodes: Command): void {
  common(
    nodes
      .command('label')
      .description('Set labels (KEY=VALUE) and take them away (KEY-)')
      .argument('<node>', 'id or host name')
      .argument('<labels...>'),
    'medley nodes label rack12-node3 tier=training old-',
  ).action(async (word: string, words: string[], _flags: unknown, command: Command) => {
    const change = words.map(labelOf)
    await describe(
      command,
      word,
      ({ labels }) => ({ labels: Object.fromEntries(change.reduce(applyLabel, Object.entries(labels))) }),
      ({ labels }) => `labels: ${keyed(labels) || 'none'}`,
    )
  })
  common(
    nodes
      .command('taint')
      .description(
        'Set taints (KEY=VALUE:EFFECT) and take them away (KEY-); effects as in Kubernetes: NoSchedule, PreferNoSchedule, NoExecute',
      )
      .argument('<node>', 'id or host name')
      .argument('<taints...>'),
    'medley nodes taint rack12-node3 tenant=acme:no-schedule',
  ).action(async (word: string, words: string[], _flags: unknown, command: Command) => {
    const change = words.map(taintOf)
    await describe(
      command,
      word,
      ({ taints }) => ({ taints: change.reduce(applyTaint, taints) }),
      ({ taints }) =>
        `taints: ${taints.map((each) => `${each.key}=${each.value}:${each.effect}`).join(', ') || 'none'}`,
    )
  })
  common(
    nodes
      .command('place')
      .description('Say where the node stands')
      .argument('<node>', 'id or host name')
      .option('--rack <rack>')
      .option('--spine <spine>', 'leaf or spine switch, or the zone of the network that is close together'),
    'medley nodes place rack12-node3 --rack 12 --spine S1',
  ).action(async (word: string, flags: { rack?: string; spine?: string }, command: Command) => {
    if (flags.rack === undefined && flags.spine === undefined)
      throw new CliError(2, 'Say where it stands: --rack RACK, --spine SPINE, or both')
    await describe(
      command,
      word,
      ({ place }) => ({ place: { rack: flags.rack ?? place.rack, spine: flags.spine ?? place.spine } }),
      ({ place }) => `rack ${place.rack ?? '—'}, spine ${place.spine ?? '—'}`,
    )
  })
}

async function describe(
  command: Command,
  word: string,
  change: (item: Node) => unknown,
  told: (item: Node) => string,
): Promise<void> {
  const client = connect(dataOf(command))
  const item = await findNode(client, word)
  const changed = await client.send('PATCH', nodePath(item.id), change(item), node)
  if (isJson(command)) printJson(changed)
  else process.stdout.write(`${changed.facts.hostname}: ${told(changed)}\n`)
}

type Change<Value> = { readonly key: string; readonly value: Value | null }

function labelOf(word: string): Change<string> {
  if (/^[^=]+-$/.test(word)) return { key: word.slice(0, -1), value: null }
  const [, key, value] = /^([^=]+)=(.*)$/.exec(word) ?? []
  if (key === undefined || value === undefined)
    throw new CliError(2, `${word} is no label: write KEY=VALUE, or KEY- to take it away`)
  return { key, value }
}

function applyLabel(labels: [string, string][], { key, value }: Change<string>): [string, string][] {
  const others = labels.filter(([name]) => name !== key)
  return value === null ? others : [...others, [key, value]]
}

function taintOf(word: string): Change<Taint> {
  if (/^[^=:]+-$/.test(word)) return { key: word.slice(0, -1), value: null }
  const [, key, value = '', effect] = /^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(word) ?? []
  if (key === undefined || effect === undefined)
    throw new CliError(2, `${word} is no taint: write KEY=VALUE:EFFECT, or KEY- to take it away`)
  return { key, value: { key, value, effect: oneOf('the effect', kebab(effect), taint.shape.effect.options) } }
}

/** `NoSchedule`, as Kubernetes writes it, is our `no-schedule`. */
function kebab(effect: string): string {
  return effect.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}

function applyTaint(taints: readonly Taint[], { key, value }: Change<Taint>): Taint[] {
  const others = taints.filter((each) => each.key !== key)
  return value === null ? others : [...others, value]
}
