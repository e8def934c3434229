import { setTimeout as sleep } from 'node:timers/promises'
import { type Chip, chip, operation } from '@medley/server/schemas'
import type { Command } from 'commander'
import { type ApiClient, connect, listAll } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { describeCode } from '../codes.ts'
import { common, dataOf, isJson, number, printJson } from '../output.ts'

export function addProve(program: Command): void {
  common(
    program
      .command('prove')
      .description('Measure a chip with the quick suite (at most 60 s)')
      .argument('[chip]', 'id or uuid; the first chip when left out'),
    'medley prove --json',
  ).action(async (wanted: string | undefined, _flags: unknown, command: Command) => {
    const client = connect(dataOf(command))
    const chosen = await choose(client, wanted)
    const begun = await client.send('POST', '/api/v1/proving/runs', { chipId: chosen.id }, operation)
    const ended = await follow(client, begun.id)
    if (ended.state === 'failed')
      throw new CliError(1, `The run failed: ${ended.error ? describeCode(ended.error) : 'no reason given'}`)
    const measured = await client.get(`/api/v1/chips/${chosen.id}`, chip)
    if (isJson(command)) printJson({ operation: ended, chip: measured })
    else process.stdout.write(`${measured.facts.product}: ${scores(measured)}\n`)
  })
}

async function choose(client: ApiClient, wanted: string | undefined): Promise<Chip> {
  const chips = await listAll(client, '/api/v1/chips', chip)
  // There is nothing to measure in a simulated one.
  const chosen =
    wanted === undefined
      ? chips.find(({ simulated }) => !simulated)
      : chips.find((item) => item.id === wanted || item.facts.uuid === wanted)
  if (chosen) return chosen
  throw new CliError(
    3,
    wanted ? `There is no chip ${wanted}. List them with: medley chips` : 'There is no chip to measure yet.',
  )
}

async function follow(client: ApiClient, id: string) {
  for (;;) {
    const current = await client.get(`/api/v1/operations/${id}`, operation)
    if (current.state !== 'running') return current
    if (process.stderr.isTTY && current.progress) {
      process.stderr.write(
        `\r\u001b[2K${current.progress.step} ${current.progress.done}/${current.progress.total ?? '?'} ${current.progress.unit}`,
      )
    }
    await sleep(500)
  }
}

/** Each axis with its interval, or what to do where there is none. */
export function scores({ score }: Pick<Chip, 'score'>): string {
  const axes = Object.values(score.axes).map((axis) => {
    if (axis.score === null) return `${axis.event} ${axis.state}`
    return `${axis.event} ${axis.score.toFixed(1)} [${number(round(axis.low))}–${number(round(axis.high))}]`
  })
  return axes.length === 0 ? 'not measured: medley prove' : `${axes.join(', ')} (partial)`
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10
}
