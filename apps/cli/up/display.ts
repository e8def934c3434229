import { setTimeout as sleep } from 'node:timers/promises'
import type { StartupStep, Status } from '@medley/server/schemas'
import { z } from 'zod'
import type { ApiClient } from '../api-client.ts'
import { describeCode } from '../codes.ts'

export interface Display {
  /** Shows the steps until each has ended. */
  follow(client: ApiClient, signal: AbortSignal): Promise<void>
  note(text: string): void
  print(text: string): void
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
    print: (text) => line(text),
    async follow(client, signal) {
      const shown = new Map<string, string>()
      const since = new Map<string, number>()
      const show = (step: StartupStep, status: Status) => {
        const begun = since.get(step.step) ?? performance.now()
        since.set(step.step, begun)
        const changed = shown.get(step.step) !== step.state
        shown.set(step.step, step.state)
        if (step.state !== 'working') {
          if (changed) line(ending(step, (performance.now() - begun) / 1000, status))
        } else if (moving) progress(`… ${TITLES[step.step]} ${amount(step)}`)
        else if (changed) line(`… ${TITLES[step.step]}`)
      }
      while (!signal.aborted) {
        const status = await client.get('/api/v1/status', statusShape).catch(() => null)
        if (status) for (const step of status.steps) if (step.state !== 'waiting') show(step, status)
        if (status?.ready) return
        await sleep(250, undefined, { signal }).catch(() => {})
      }
    },
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

function ending(step: StartupStep, seconds: number, status: Status): string {
  const took = `${seconds.toFixed(1)} s`
  if (step.state === 'failed') {
    const what = step.detail ? describeCode(step.detail) : 'failed'
    return `✗ ${TITLES[step.step]} (${took})\n    ${what.split('\n').join('\n    ')}`
  }
  const result = RESULTS[step.step](status)
  return `✓ ${TITLES[step.step]}${step.state === 'skipped' ? ' — already done' : ` (${took})`}${result ? `: ${result}` : ''}`
}

const RESULTS: Readonly<Record<StartupStep['step'], (status: Status) => string>> = {
  chips: (status) => status.chips.map((chip) => `${chip.product} (${chip.vendor}, ${chip.health})`).join('; '),
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
