import { chipEvent } from '@medley/server/fleet-schemas'
import { type Chip, chip, page } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect, listAll, withQuery } from '../api-client.ts'
import { oneOf, pastTime, wholeNumber } from '../arguments.ts'
import { describeCode } from '../codes.ts'
import { bytes, common, dataOf, isJson, number, printJson, printTable } from '../output.ts'
import { printEvents } from './chip-events.ts'
import { addChipsParse } from './chips-parse.ts'
import { CHIP_STATE_NAMES, printFacts } from './fleet-words.ts'
import { addProve, scores } from './prove.ts'
import { chipPath, findNode } from './references.ts'

interface ChipFilter {
  readonly vendor?: string
  readonly state?: string
  readonly node?: string
  readonly rack?: string
  readonly filter?: string
}

export function addChips(program: Command): void {
  const chips = common(
    program
      .command('chips')
      .description('Chips of the fleet with their states and scores')
      .option('--vendor <name>', 'one of `medley chips vendors`')
      .option('--state <state>', CHIP_STATE_NAMES.join(', '))
      .option('--node <node>', 'id or host name')
      .option('--rack <rack>')
      .option('--filter <text>', 'part of product, node, uuid or serial'),
    'medley chips --state lost --json',
  ).action(async (flags: ChipFilter, command: Command) => {
    const state = flags.state === undefined ? undefined : oneOf('--state', flags.state, CHIP_STATE_NAMES)
    const client = connect(dataOf(command))
    const node = flags.node === undefined ? undefined : (await findNode(client, flags.node)).id
    const query = { vendor: flags.vendor, state, node, rack: flags.rack, q: flags.filter }
    const items = await listAll(client, '/api/v1/chips', chip, query)
    if (isJson(command)) return printJson(items)
    printTable(
      ['CHIP', 'PRODUCT', 'VENDOR', 'NODE', 'MEMORY', 'STATE', 'SCORES'],
      items.map((item) => [
        item.id,
        item.facts.product,
        item.simulated ? `${item.facts.vendor} (simulated)` : item.facts.vendor,
        item.nodeName,
        bytes(item.facts.memoryTotalBytes),
        item.quarantine === null ? item.state : `${item.state}, quarantined`,
        scores(item),
      ]),
      Object.values(flags).some((value) => typeof value === 'string')
        ? 'No such chip. All there are: medley chips'
        : 'No chip has been reported yet. See what is missing with: medley doctor',
    )
  })
  addChipsParse(chips)
  common(
    chips.command('show').description('One chip with all that is known of it').argument('<chip>', 'id or uuid'),
    'medley chips show chip_0193...',
  ).action(async (id: string, _flags: unknown, command: Command) => {
    const item = await connect(dataOf(command)).get(chipPath(id), chip)
    if (isJson(command)) printJson(item)
    else show(item)
  })
  addHistory(chips)
  addQuarantine(chips)
  addProve(program)
}

interface HistoryFlags {
  readonly from: string
  readonly to?: string
  readonly limit: string
  readonly cursor?: string
}

function addHistory(chips: Command): void {
  common(
    chips
      .command('history')
      .description('What happened to a chip, newest first')
      .argument('<chip>', 'id or uuid')
      .option('--from <time>', 'not before: 2027-01-31, or 24h for a day back', '30d')
      .option('--to <time>', 'before')
      .option('--limit <number>', 'at most 500', '100')
      .option('--cursor <cursor>', 'where an earlier answer ended'),
    'medley chips history chip_0193... --from 90d',
  ).action(async (id: string, flags: HistoryFlags, command: Command) => {
    const query = {
      from: pastTime('--from', flags.from),
      to: flags.to === undefined ? undefined : pastTime('--to', flags.to),
      limit: String(wholeNumber('--limit', flags.limit, 1, 500)),
      cursor: flags.cursor,
    }
    const events = await connect(dataOf(command)).get(withQuery(chipPath(id, '/events'), query), page(chipEvent))
    if (isJson(command)) return printJson(events)
    printEvents(events, 'Nothing happened to it in that time.')
  })
}

function addQuarantine(chips: Command): void {
  for (const { name, description, told } of [
    { name: 'quarantine', description: 'Place nothing on a chip until it is released', told: 'is in quarantine' },
    { name: 'release', description: 'Take a chip out of quarantine', told: 'is released' },
    { name: 'retire', description: 'Say that a card was taken out for good; its history is kept', told: 'is retired' },
    { name: 'restore', description: 'Count a retired chip again', told: 'is back' },
  ]) {
    common(
      chips
        .command(name)
        .description(description)
        .argument('<chip>', 'id or uuid')
        .requiredOption('--reason <text>', 'kept in its history'),
      `medley chips ${name} chip_0193... --reason "memory was exchanged"`,
    ).action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const changed = await connect(dataOf(command)).send('POST', chipPath(id, `/${name}`), { reason }, chip)
      if (isJson(command)) printJson(changed)
      else process.stdout.write(`${changed.facts.product} on ${changed.nodeName} (${changed.id}) ${told}\n`)
    })
  }
}

function show(item: Chip): void {
  const { facts, reading, quarantine } = item
  printFacts({
    chip: item.id,
    product: item.simulated ? `${facts.product} (simulated)` : facts.product,
    vendor: facts.vendor,
    node: `${item.nodeName} (${item.nodeId})`,
    rack: item.place.rack ?? '—',
    state: `${item.state} since ${item.stateSince}`,
    why: item.evidence.map(describeCode).join('; ') || '—',
    quarantine: quarantine === null ? 'no' : `since ${quarantine.since} by ${quarantine.by}`,
    'new work': item.usable ? 'may be placed' : 'is not placed',
    uuid: facts.uuid,
    serial: facts.serial ?? '—',
    'PCI address': facts.pciAddress ?? '—',
    driver: facts.driverVersion ?? '—',
    firmware: facts.firmwareVersion ?? '—',
    memory: bytes(facts.memoryTotalBytes),
    scores: scores(item),
    'read at': reading?.at ?? '—',
    ...Object.fromEntries(Object.entries(reading?.values ?? {}).map(([name, value]) => [`  ${name}`, number(value)])),
  })
}
