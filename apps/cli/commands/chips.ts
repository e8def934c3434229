import { setTimeout as sleep } from 'node:timers/promises'
import { type Chip, chip, operation } from '@medley/server/schemas'
import type { Command } from 'commander'
import { type ApiClient, connect, listAll } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { describeCode } from '../codes.ts'
import { bytes, common, dataOf, isJson, number, printJson, printTable } from '../output.ts'
import { addChipsParse } from './chips-parse.ts'

export function addChips(program: Command): void {
  const chips = common(
    program.command('chips').description('Chips of the fleet with their scores'),
    'medley chips --json',
  ).action(async (_flags: unknown, command: Command) => {
    const chips = await listChips(connect(dataOf(command)))
    if (isJson(command)) return printJson(chips)
    printTable(
      ['CHIP', 'PRODUCT', 'VENDOR', 'NODE', 'MEMORY', 'HEALTH', 'SCORES'],
      chips.map((item) => [
        item.id,
        item.facts.product,
        item.facts.vendor,
        item.nodeName,
        bytes(item.facts.memoryTotalBytes),
        item.facts.health,
        scores(item),
      ]),
      'No chip has been reported yet. See what is missing with: medley doctor',
    )
  })
  addChipsParse(chips)
  common(
    program
      .command('prove')
      .description('Measure a chip with the quick suite (at most 60 s)')
      .argument('[chip]', 'id or uuid; the first chip when left out'),
    'medley prove --json',
  ).action(async (wanted: string | undefined, _flags: unknown, command: Command) => {
    const client = connect(dataOf(command))
    const chips = await listChips(client)
    const chosen =
      wanted === undefined ? chips[0] : chips.find((item) => item.id === wanted || item.facts.uuid === wanted)
    if (!chosen)
      throw new CliError(
        3,
        wanted ? `There is no chip ${wanted}. List them with: medley chips` : 'There is no chip to measure yet.',
      )
    const begun = await client.send('POST', '/api/v1/proving/runs', { chipId: chosen.id }, operation)
    const ended = await follow(client, begun.id)
    if (ended.state === 'failed')
      throw new CliError(1, `The run failed: ${ended.error ? describeCode(ended.error) : 'no reason given'}`)
    const measured = await client.get(`/api/v1/chips/${chosen.id}`, chip)
    if (isJson(command)) printJson({ operation: ended, chip: measured })
    else process.stdout.write(`${measured.facts.product}: ${scores(measured)}\n`)
  })
}

function listChips(client: ApiClient): Promise<readonly Chip[]> {
  return listAll(client, '/api/v1/chips', chip)
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

function scores({ score }: Chip): string {
  const axes = Object.values(score.axes).map((axis) => {
    if (axis.score === null) return `${axis.event} ${axis.state}`
    return `${axis.event} ${axis.score.toFixed(1)} [${number(round(axis.low))}–${number(round(axis.high))}]`
  })
  return axes.length === 0 ? 'not measured: medley prove' : `${axes.join(', ')} (partial)`
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10
}
