import type { Status } from '@medley/server/schemas'
import { z } from 'zod'
import type { ApiClient } from '../api-client.ts'

const keyPage = z.object({ items: z.array(z.unknown()) })
const createdKey = z.object({ key: z.string() })
const link = z.object({ url: z.string() })
const statusShape = z.custom<Status>((value) => typeof value === 'object' && value !== null && 'deployments' in value)

export interface Welcome {
  readonly ready: true
  readonly console: string
  readonly signInLink: string
  readonly endpoint: string
  /** Shown once, so null from the second start on. */
  readonly apiKey: string | null
  /** Null while nothing answers. */
  readonly model: string | null
}

/** What one needs next: the console, a key, and a model that answers. */
export async function prepareWelcome(client: ApiClient): Promise<Welcome> {
  const status = await client.get('/api/v1/status', statusShape)
  const { url } = await client.send('POST', '/api/v1/sign-in-links', {}, link)
  const keys = await client.get('/api/v1/keys?limit=1', keyPage)
  const first = keys.items.length === 0
  return {
    ready: true,
    console: status.endpoints.console,
    signInLink: url,
    endpoint: `${status.endpoints.gateway}/v1`,
    apiKey: first ? (await client.send('POST', '/api/v1/keys', { name: 'first key' }, createdKey)).key : null,
    model: status.deployments.find((deployment) => deployment.state === 'ready')?.servedModel ?? null,
  }
}

export function describeWelcome({ console, signInLink, endpoint, apiKey, model }: Welcome): string {
  const lines = [
    '',
    model ? 'Medley is ready.' : 'Medley is ready, but no model answers yet (see above).',
    '',
    `  Console    ${console}`,
    `  Sign in    ${signInLink}   (works once, 15 minutes)`,
    `  Endpoint   ${endpoint}`,
    apiKey
      ? `  API key    ${apiKey}   (shown once)`
      : '  API key    use the one you have, or: npx medley keys create --name NAME',
  ]
  if (model) lines.push('', '  Try it:', `  ${curl(endpoint, apiKey ?? '$MEDLEY_API_KEY', model)}`)
  lines.push('', '  Stop with Ctrl-C.', '')
  return lines.join('\n')
}

function curl(endpoint: string, key: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'What is the capital of France?' }] })
  // Double quotes, since a shell expands no variable between single ones.
  return `curl ${endpoint}/chat/completions -H "Authorization: Bearer ${key}" -H 'Content-Type: application/json' -d '${body}'`
}
