import { type Status, status } from '@medley/server/schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../api-client.ts'
import { describeCode } from '../codes.ts'
import { common, dataOf, isJson, number, printJson } from '../output.ts'

const link = z.object({ url: z.string(), expiresAt: z.string() })

const plural = (amount: number, noun: string) => `${amount} ${noun}${amount === 1 ? '' : 's'}`

/** Simulated chips are counted only: nothing runs on them. */
function chipLines({ chips, simulated }: Status): readonly string[] {
  const real = chips.filter((chip) => !chip.simulated)
  const lines = real.map((chip) => `  chip       ${chip.product} (${chip.vendor}) ${chip.health}`)
  if (simulated.chips === 0) return lines
  return [
    ...lines,
    `  ${plural(simulated.chips, 'simulated chip')} on ${plural(simulated.nodes, 'node')}: medley fleet`,
  ]
}

export function addStatus(program: Command): void {
  common(program.command('status').description('State of the factory'), 'medley status --json').action(
    async (_flags: unknown, command: Command) => {
      const state = await connect(dataOf(command)).get('/api/v1/status', status)
      if (isJson(command)) return printJson(state)
      const say = (text: string) => process.stdout.write(`${text}\n`)
      say(`${state.ready ? 'ready' : 'starting'}   Medley ${state.version}, up since ${state.startedAt}`)
      for (const step of state.steps)
        say(`  ${step.step.padEnd(11)}${step.state}${step.detail ? `: ${describeCode(step.detail)}` : ''}`)
      for (const line of chipLines(state)) say(line)
      for (const item of state.deployments)
        say(`  serves     ${item.servedModel}: ${item.state}, ${item.restarts} restarts`)
      const axes = Object.entries(state.score.axes).map(([event, score]) => `${event} ${number(score)}`)
      say(
        `  score      ${axes.join(', ') || '—'}; fitness ${number(state.score.fitness)}${state.score.reason ? ` (${describeCode({ code: state.score.reason, params: {} })})` : ''}`,
      )
      say(`  console    ${state.endpoints.console}`)
      say(`  endpoint   ${state.endpoints.gateway}/v1`)
    },
  )
  common(
    program.command('sign-in-link').description('Make a new one-time link to the console'),
    'medley sign-in-link',
  ).action(async (_flags: unknown, command: Command) => {
    const made = await connect(dataOf(command)).send('POST', '/api/v1/sign-in-links', {}, link)
    if (isJson(command)) printJson(made)
    else process.stdout.write(`${made.url}\n(works once, until ${made.expiresAt})\n`)
  })
}
