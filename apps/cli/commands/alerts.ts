import { alert, alertChannel, alertRule } from '@medley/server/fleet-schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { connect, listAll } from '../api-client.ts'
import { oneOf } from '../arguments.ts'
import { CliError } from '../cli-error.ts'
import { describeCode } from '../codes.ts'
import { common, dataOf, isJson, number, printJson, printTable } from '../output.ts'

const testAnswer = z.object({ ok: z.boolean(), error: z.string().nullable() })

export function addAlerts(program: Command): void {
  const alerts = common(
    program
      .command('alerts')
      .description('What somebody should look at')
      .option('--state <state>', 'firing, resolved or all', 'firing'),
    'medley alerts --state all',
  ).action(async (flags: { state: string }, command: Command) => {
    const state = oneOf('--state', flags.state, ['firing', 'resolved', 'all'])
    const query = state === 'all' ? {} : { state }
    const items = await listAll(connect(dataOf(command)), '/api/v1/alerts', alert, query)
    if (isJson(command)) return printJson(items)
    printTable(
      ['ALERT', 'SEVERITY', 'RULE', 'OF', 'VALUE', 'SINCE', 'STATE', 'WHY'],
      items.map((item) => [
        item.id,
        item.severity,
        item.ruleName.en,
        item.simulated ? `${item.subject} (simulated)` : item.subject,
        number(item.value),
        item.startedAt,
        item.acknowledged ? `${item.state}, seen by ${item.acknowledged.by}` : item.state,
        item.evidence.map(describeCode).join('; ') || '—',
      ]),
      state === 'firing' ? 'Nothing is wrong that a rule looks for.' : 'No such alert.',
    )
  })
  common(
    alerts
      .command('acknowledge')
      .description('Say that somebody looks after it')
      .argument('<alert>')
      .option('--note <text>', 'what is done', ''),
    'medley alerts acknowledge alert_0193... --note "fan ordered"',
  ).action(async (id: string, { note }: { note: string }, command: Command) => {
    const path = `/api/v1/alerts/${encodeURIComponent(id)}/acknowledge`
    const item = await connect(dataOf(command)).send('POST', path, { note }, alert)
    if (isJson(command)) printJson(item)
    else process.stdout.write(`acknowledged: ${item.ruleName.en}, ${item.subject}\n`)
  })
  addRules(alerts)
  addChannels(alerts)
}

function addRules(alerts: Command): void {
  const rules = common(
    alerts.command('rules').description('When somebody is called'),
    'medley alerts rules --json',
  ).action(async (_flags: unknown, command: Command) => {
    const items = await listAll(connect(dataOf(command)), '/api/v1/alert-rules', alertRule)
    if (isJson(command)) return printJson(items)
    printTable(
      ['RULE', 'NAME', 'SEVERITY', 'KIND', 'FOR', 'STATE'],
      items.map((rule) => [
        rule.id,
        rule.name.en,
        rule.severity,
        rule.condition.kind,
        `${rule.forSeconds} s`,
        rule.enabled ? 'on' : 'off',
      ]),
      'There is no rule.',
    )
  })
  for (const [name, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    common(
      rules
        .command(name)
        .description(`Switch a rule ${enabled ? 'on' : 'off'}`)
        .argument('<rule>'),
      `medley alerts rules ${name} rule_0193...`,
    ).action(async (id: string, _flags: unknown, command: Command) => {
      const path = `/api/v1/alert-rules/${encodeURIComponent(id)}`
      const rule = await connect(dataOf(command)).send('PATCH', path, { enabled }, alertRule)
      if (isJson(command)) printJson(rule)
      else process.stdout.write(`${rule.name.en} is ${rule.enabled ? 'on' : 'off'}\n`)
    })
  }
}

function addChannels(alerts: Command): void {
  const channels = common(
    alerts.command('channels').description('How somebody is called'),
    'medley alerts channels --json',
  ).action(async (_flags: unknown, command: Command) => {
    const items = await listAll(connect(dataOf(command)), '/api/v1/alert-channels', alertChannel)
    if (isJson(command)) return printJson(items)
    printTable(
      ['CHANNEL', 'NAME', 'KIND', 'ADDRESS', 'LANGUAGE', 'STATE'],
      items.map((channel) => [
        channel.id,
        channel.name,
        channel.kind,
        channel.address,
        channel.locale,
        channel.enabled ? 'on' : 'off',
      ]),
      'No channel yet: alerts show here and in the console only. Add one in the console under Alerts.',
    )
  })
  common(
    channels.command('test').description('Send a test message').argument('<channel>'),
    'medley alerts channels test channel_0193...',
  ).action(async (id: string, _flags: unknown, command: Command) => {
    const path = `/api/v1/alert-channels/${encodeURIComponent(id)}/test`
    const answer = await connect(dataOf(command)).send('POST', path, {}, testAnswer)
    if (!answer.ok) throw new CliError(5, `The message was not taken: ${answer.error ?? 'no reason given'}`)
    if (isJson(command)) printJson(answer)
    else process.stdout.write('sent\n')
  })
}
