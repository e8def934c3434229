import { deployment, page } from '@medley/server/schemas'
import type { Command } from 'commander'
import { z } from 'zod'
import { connect, exitCodeOf, problemOf } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import { common, dataOf, isJson, printJson } from '../output.ts'
import { readEvents } from '../server-sent-events.ts'

const chunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }).optional() })).default([]),
  usage: z.json().nullish(),
  error: z.object({ message: z.string() }).optional(),
})
const failure = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) })

interface ChatFlags {
  readonly model?: string
  readonly maxTokens?: string
  readonly temperature?: string
}

export function addChat(program: Command): void {
  common(
    program
      .command('chat')
      .description('Ask a question; the answer streams')
      .argument('<question...>')
      .option('--model <name>', 'a deployed model; the first one when left out')
      .option('--max-tokens <number>')
      .option('--temperature <number>'),
    'medley chat What is the capital of France?',
  ).action(async (words: string[], flags: ChatFlags, command: Command) => {
    const limits = limitsOf(flags)
    const client = connect(dataOf(command))
    const model = flags.model ?? (await client.get('/api/v1/deployments', page(deployment))).items[0]?.servedModel
    if (!model) throw new CliError(5, 'Nothing is deployed yet. See what is missing with: medley doctor')
    const response = await client.raw('POST', '/api/v1/playground/chat', requestBody(model, words.join(' '), limits))
    const json = isJson(command)
    const { text, usage } = await readAnswer(await requireStream(response), (piece) => {
      if (!json) process.stdout.write(piece)
    })
    const lineage = {
      requestId: response.headers.get('x-request-id'),
      revisionId: response.headers.get('x-medley-revision'),
    }
    if (json) printJson({ model, answer: text, usage, ...lineage })
    else process.stdout.write('\n')
  })
}

function requestBody(model: string, question: string, limits: ReturnType<typeof limitsOf>) {
  return {
    model,
    messages: [{ role: 'user', content: question }],
    stream: true,
    stream_options: { include_usage: true },
    ...limits,
  }
}

/** @throws CliError with exit code 2 for what is no number, or none that a model could be asked with. */
function limitsOf({ maxTokens, temperature }: ChatFlags) {
  return {
    ...(maxTokens === undefined
      ? {}
      : {
          max_tokens: numberOf(
            '--max-tokens',
            maxTokens,
            'a whole number from 1',
            (n) => Number.isInteger(n) && n >= 1,
          ),
        }),
    ...(temperature === undefined
      ? {}
      : { temperature: numberOf('--temperature', temperature, 'a number from 0 to 2', (n) => n >= 0 && n <= 2) }),
  }
}

function numberOf(option: string, text: string, form: string, fits: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (fits(value)) return value
  throw new CliError(2, `${option} ${text} is not ${form}`)
}

async function requireStream(response: Response): Promise<ReadableStream<Uint8Array>> {
  if (response.ok && response.body) return response.body
  const body: unknown = await response.json().catch(() => null)
  const parsed = failure.safeParse(body)
  if (!parsed.success) throw problemOf(response.status, body)
  const { message, code } = parsed.data.error
  throw new CliError(exitCodeOf(response.status), message, code ?? null)
}

async function readAnswer(body: ReadableStream<Uint8Array>, onPiece: (piece: string) => void) {
  let text = ''
  let usage: unknown = null
  for await (const data of readEvents(body)) {
    if (data === '[DONE]') return { text, usage }
    const part = chunk.parse(JSON.parse(data))
    if (part.error) throw new CliError(1, part.error.message)
    const piece = part.choices[0]?.delta?.content ?? ''
    text += piece
    usage = part.usage ?? usage
    onPiece(piece)
  }
  throw new CliError(1, 'The answer broke off before its end; ask again')
}
