import type { Status } from '@medley/server/schemas'
import { z } from 'zod'
import type { ApiClient } from '../api-client.ts'

const keyPage = z.object({ items: z.array(z.unknown()) })
const createdKey = z.object({ key: z.string() })
const link = z.object({ url: z.string() })
const statusShape = z.custom<Status>((value) => typeof value === 'object' && value !== null && 'deployments' in value)

/** What a person needs next: the console, a key, and a line that answers. */
export async function welcome(client: ApiClient): Promise<string> {
  const status = await client.get('/api/v1/status', statusShape)
  const { url } = await client.send('POST', '/api/v1/sign-in-links', {}, link)
  const keys = await client.get('/api/v1/keys?limit=1', keyPage)
  // A key is shown once, so only the first start makes one.
  const key =
    keys.items.length === 0 ? (await client.send('POST', '/api/v1/keys', { name: 'first key' }, createdKey)).key : null
  const model = status.deployments.find((deployment) => deployment.state === 'ready')?.servedModel ?? null
  const lines = [
    '',
    model ? 'Medley is ready.' : 'Medley is ready, but no model answers yet (see above).',
    '',
    `  Console    ${status.endpoints.console}`,
    `  Sign in    ${url}   (works once, 15 minutes)`,
    `  Endpoint   ${status.endpoints.gateway}/v1`,
    key
      ? `  API key    ${key}   (shown once)`
      : '  API key    use the one you have, or: npx medley keys create --name NAME',
  ]
  if (model) lines.push('', '  Try it:', `  ${curl(status.endpoints.gateway, key ?? '$MEDLEY_API_KEY', model)}`)
  lines.push('', '  Stop with Ctrl-C.', '')
  return lines.join('\n')
}

function curl(gateway: string, key: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'What is the capital of France?' }] })
  return `curl ${gateway}/v1/chat/completions -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -d '${body}'`
}
