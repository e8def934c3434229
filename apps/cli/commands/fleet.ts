import { chipEvent, type FleetCell, type FleetSummary, fleetMap, fleetSummary } from '@medley/server/fleet-schemas'
import { page } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect, withQuery } from '../api-client.ts'
import { pastTime, wholeNumber } from '../arguments.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'
import { printEvents } from './chip-events.ts'
import { addSimulate } from './fleet-simulate.ts'
import { CHIP_STATE_NAMES } from './fleet-words.ts'
import { findNode } from './references.ts'

export function addFleet(program: Command): void {
  const fleet = common(
    program.command('fleet').description('The whole fleet: how many chips of which vendor are in which state'),
    'medley fleet --json',
  ).action(async (_flags: unknown, command: Command) => {
    const summary = await connect(dataOf(command)).get('/api/v1/fleet/summary', fleetSummary)
    if (isJson(command)) return printJson(summary)
    printSummary(summary)
  })
  common(
    fleet.command('map').description('Every chip one character, by rack: how busy it is, or what is wrong with it'),
    'medley fleet map',
  ).action(async (_flags: unknown, command: Command) => {
    const map = await connect(dataOf(command)).get('/api/v1/fleet/map', fleetMap)
    if (isJson(command)) return printJson(map)
    printMap(map.cells)
  })
  common(
    fleet
      .command('events')
      .description('What happened to the chips, newest first')
      .option('--node <node>', 'of this node only: id or host name')
      .option('--from <time>', 'not before: 2027-01-31, or 24h for a day back')
      .option('--to <time>', 'before')
      .option('--limit <number>', 'at most 500', '50')
      .option('--cursor <cursor>', 'where an earlier answer ended'),
    'medley fleet events --node rack12-node3 --from 7d',
  ).action(async (flags: EventFlags, command: Command) => {
    const query = {
      from: flags.from === undefined ? undefined : pastTime('--from', flags.from),
      to: flags.to === undefined ? undefined : pastTime('--to', flags.to),
      limit: String(wholeNumber('--limit', flags.limit, 1, 500)),
      cursor: flags.cursor,
    }
    const client = connect(dataOf(command))
    const node = flags.node === undefined ? undefined : (await findNode(client, flags.node)).id
    const events = await client.get(withQuery('/api/v1/fleet/events', { ...query, node }), page(chipEvent))
    if (isJson(command)) return printJson(events)
    printEvents(events, 'Nothing happened in that time.')
  })
  addSimulate(fleet)
}

interface EventFlags {
  readonly node?: string
  readonly from?: string
  readonly to?: string
  readonly limit: string
  readonly cursor?: string
}

function printSummary({ nodes, chips, byVendor }: FleetSummary): void {
  const states = CHIP_STATE_NAMES.toReversed().filter((state) => byVendor.some((row) => row.states[state]))
  printTable(
    ['VENDOR', 'CHIPS', ...states.map((state) => state.toUpperCase())],
    byVendor.map((row) => [
      row.simulated ? `${row.vendor} (simulated)` : row.vendor,
      String(states.reduce((sum, state) => sum + (row.states[state] ?? 0), 0)),
      ...states.map((state) => String(row.states[state] ?? 0)),
    ]),
    'No chip has been reported yet. Join a node with: medley agent token create',
  )
  process.stdout.write(`${nodes} ${nodes === 1 ? 'node' : 'nodes'}, ${chips} ${chips === 1 ? 'chip' : 'chips'}\n`)
}

const LETTERS: Readonly<Record<FleetCell['state'], string | null>> = {
  healthy: null,
  degraded: 'd',
  lost: 'L',
  unusable: 'U',
  'no-driver': 'N',
  absent: 'a',
  unknown: '?',
}
const LEGEND =
  '0-9 utilisation in tenths, · healthy without a reading, d degraded, L lost, U unusable, N no driver, a absent, ? unknown, Q quarantined'

function printMap(cells: readonly FleetCell[]): void {
  if (cells.length === 0) return void process.stdout.write('No chip has been reported yet.\n')
  const racks = [...Map.groupBy(cells, ({ rack }) => rack ?? '')].toSorted(([one], [other]) => (one < other ? -1 : 1))
  for (const [rack, inRack] of racks) {
    const nodes = [...Map.groupBy(inRack, ({ nodeName }) => nodeName)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    process.stdout.write(`${rack === '' ? '(no rack)' : rack}\n`)
    for (const [name, chips] of nodes) {
      const simulated = chips.some((chip) => chip.simulated) ? ' (simulated)' : ''
      process.stdout.write(`  ${chips.map(letterOf).join('')}  ${name}${simulated}\n`)
    }
  }
  process.stdout.write(`${LEGEND}\n`)
}

function letterOf({ state, quarantined, utilizationRatio }: FleetCell): string {
  if (quarantined) return 'Q'
  const letter = LETTERS[state]
  if (letter !== null) return letter
  return utilizationRatio === null ? '·' : String(Math.min(9, Math.floor(utilizationRatio * 10)))
}
