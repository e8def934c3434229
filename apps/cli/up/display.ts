import { setTimeout as sleep } from 'node:timers/promises'
import type { StartupStep, Status } from '@medley/server/schemas'
import { z } from 'zod'
import type { ApiClient } from '../api-client.ts'
import { describeCode } from '../codes.ts'
import { describeWelcome, type Welcome } from './welcome.ts'

export interface Display {
  /** Shows the steps until each has ended. */
  follow(client: ApiClient, wanted: Wanted, signal: AbortSignal): Promise<void>
  note(text: string): void
  welcome(welcome: Welcome): void
}

/** What the options asked for: a step without anything to do is either done already or switched off. */
export interface Wanted {
  readonly prove: boolean
  readonly starterModel: string | null
}

// Only what is shown is read, so that an older terminal program survives a newer server.
const statusShape = z.custom<Status>((value) => typeof value === 'object' && value !== null && 'steps' in value)

const TITLES: Readonly<Record<StartupStep['step'], string>> = {
  chips: 'Finding the chips of this machine',
  model: 'Fetching the starter model',
  proving: 'Proving this machine’s chip (at most 60 s)',
  deployment: 'Deploying the model',
}

/** Progress in the terminal: one line that moves on a TTY, one line per change elsewhere. */
export function createDisplay(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Display {
  const moving = out.isTTY === true && env.CI !== 'true'
  let open = false
  const line = (text: string) => {
    if (open) out.write('\r\u001b[2K')
    open = false
    out.write(`${text}\n`)
  }
  const progress = (text: string) => {
    out.write(`\r\u001b[2K${text.slice(0, (out.columns ?? 80) - 1)}`)
    open = true
  }

  return {
    note: (text) => line(`medley: ${text}`),
    welcome: (welcome) => line(describeWelcome(welcome)),
    async follow(client, wanted, signal) {
      const since = new Map<string, number>()
      await eachState(client, signal, (step, changed, status) => {
        const begun = since.get(step.step) ?? performance.now()
        since.set(step.step, begun)
        if (step.state !== 'working') {
          if (changed) line(ending(step, (performance.now() - begun) / 1000, status, wanted))
        } else if (moving) progress(`… ${TITLES[step.step]} ${amount(step)}`)
        else if (changed) line(`… ${TITLES[step.step]}`)
      })
    },
  }
}

/** The same for a program that reads: one line of JSON for each change, the last one with addresses and key. */
export function createJsonDisplay(out: NodeJS.WritableStream): Display {
  const line = (value: unknown) => out.write(`${JSON.stringify(value)}\n`)
  return {
    note: (note) => line({ note }),
    welcome: (welcome) => line(welcome),
    follow: (client, _wanted, signal) =>
      eachState(client, signal, (step, changed) => {
        if (changed) line(step)
      }),
  }
}

/** Calls for each step that has begun, again and again until the factory is ready. */
async function eachState(
  client: ApiClient,
  signal: AbortSignal,
  show: (step: StartupStep, changed: boolean, status: Status) => void,
): Promise<void> {
  const shown = new Map<string, string>()
  while (!signal.aborted) {
    const status = await client.get('/api/v1/status', statusShape).catch(() => null)
    for (const step of status?.steps ?? []) {
      if (status === null || step.state === 'waiting') continue
      const changed = shown.get(step.step) !== step.state
      shown.set(step.step, step.state)
      show(step, changed, status)
    }
    if (status?.ready) return
    await sleep(250, undefined, { signal }).catch(() => {})
  }
}

function amount({ done, total, unit }: StartupStep): string {
  if (unit === 'bytes') {
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
    return total ? `${mb(done)} of ${mb(total)} MB (${Math.floor((100 * done) / total)} %)` : `${mb(done)} MB`
  }
  if (unit === '') return ''
  return total ? `${done}/${total} ${unit}` : `${done} ${unit}`
}

function ending(step: StartupStep, seconds: number, status: Status, wanted: Wanted): string {
  const took = `${seconds.toFixed(1)} s`
  const title = TITLES[step.step]
  if (step.state === 'failed') {
    const what = step.detail ? describeCode(step.detail) : 'failed'
    return `✗ ${title} (${took})\n    ${what.split('\n').join('\n    ')}`
  }
  const off = step.state === 'skipped' ? switchedOff(step, status, wanted) : null
  if (off) return `– ${title} — switched off (${off})`
  const result = RESULTS[step.step](status)
  return `✓ ${title}${step.state === 'skipped' ? ' — already done' : ` (${took})`}${result ? `: ${result}` : ''}`
}

/** The option that left a step without work; null when the work was done at an earlier start. */
function switchedOff({ step }: StartupStep, status: Status, { prove, starterModel }: Wanted): string | null {
  if (step === 'proving') {
    if (Object.keys(status.score.axes).length > 0) return null
    if (!prove) return '--no-proving'
  }
  if (starterModel !== null || step === 'chips') return null
  if (step === 'deployment' && status.deployments.length > 0) return null
  return '--no-starter'
}

const RESULTS: Readonly<Record<StartupStep['step'], (status: Status) => string>> = {
  chips: (status) =>
    status.chips
      .filter((chip) => !chip.simulated)
      .map((chip) => `${chip.product} (${chip.vendor}, ${chip.health})`)
      .join('; '),
  model: (status) => status.models.map((model) => model.name).join(', '),
  proving: (status) => scores(status),
  deployment: (status) => status.deployments.map((item) => `${item.servedModel} is ${item.state}`).join('; '),
}

function scores({ score }: Status): string {
  const axes = Object.entries(score.axes)
  if (axes.length === 0) return 'no score'
  const shown = axes.map(([event, value]) => `${event} ${value === null ? '—' : value.toFixed(1)}`).join(', ')
  if (axes.some(([, value]) => value === null)) {
    return `${shown}: no number where the machine was too busy to measure; repeat with \`npx medley prove\``
  }
  return `${shown} of 100 (partial: two events, no overall fitness yet)`
}
