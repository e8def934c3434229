import { Agent, request } from 'node:http'
import { z } from 'zod'

/** Where an OpenAI-shaped server listens on this machine. */
export interface Target {
  readonly url: string
  readonly apiKey: string
  readonly model: string
  /** Fields of the body that only this server knows. */
  readonly extra: Readonly<Record<string, unknown>>
}

/** Streams that run together. */
export interface Load {
  readonly streams: number
  /** About: the prompts are text. The anchors get what the gateway's prompts really had. */
  readonly promptTokens: number
  readonly generateTokens: number
}

/** One streamed answer as its client saw it; times in seconds on one clock. */
export interface SeenStream {
  readonly startedAt: number
  readonly firstTokenAt: number
  readonly lastTokenAt: number
  readonly endedAt: number
  /** Without those that the server still had from an earlier prompt. */
  readonly promptTokens: number
  readonly completionTokens: number
  readonly finish: string
}

const chunk = z.object({
  choices: z.array(z.object({ text: z.string(), finish_reason: z.string().nullish() })).default([]),
  usage: z
    .object({
      prompt_tokens: z.number(),
      completion_tokens: z.number(),
      prompt_tokens_details: z.object({ cached_tokens: z.number() }).nullish(),
    })
    .nullish(),
})

interface Arrival {
  readonly at: number
  readonly bytes: Buffer
}

const agent = new Agent({ keepAlive: true })

/**
 * Streams one completion of a raw prompt, greedily. While it runs, what arrives is only stamped and put aside: the
 * client shares the machine with what it measures.
 *
 * @throws {Error} for any answer but a whole stream.
 */
export async function streamCompletion(target: Target, prompt: string, maxTokens: number): Promise<SeenStream> {
  const body = JSON.stringify({
    model: target.model,
    prompt,
    max_tokens: maxTokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
    ...target.extra,
  })
  const { status, startedAt, endedAt, arrivals } = await exchange(target, body)
  if (status !== 200) throw new Error(`${target.url} answered ${status}: ${textOf(arrivals)}`)
  return { startedAt, endedAt, ...read(arrivals) }
}

function exchange(target: Target, body: string) {
  const headers = {
    authorization: `Bearer ${target.apiKey}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise<{ status: number; startedAt: number; endedAt: number; arrivals: Arrival[] }>((resolve, reject) => {
    const arrivals: Arrival[] = []
    const startedAt = now()
    const call = request(new URL('/v1/completions', target.url), { method: 'POST', agent, headers }, (response) => {
      response.on('data', (bytes: Buffer) => arrivals.push({ at: now(), bytes }))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, startedAt, endedAt: now(), arrivals }))
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

function read(arrivals: readonly Arrival[]): Omit<SeenStream, 'startedAt' | 'endedAt'> {
  const events = eventsOf(arrivals)
  const tokens = events.filter(({ data }) => data.choices.some(({ text }) => text !== ''))
  const [first, last] = [tokens[0], tokens.at(-1)]
  const usage = events.find(({ data }) => data.usage)?.data.usage
  const finish = events.flatMap(({ data }) => data.choices).find((choice) => choice.finish_reason)?.finish_reason
  if (!(first && last && usage && finish)) throw new Error(`not a whole stream: ${textOf(arrivals).slice(-500)}`)
  return {
    firstTokenAt: first.at,
    lastTokenAt: last.at,
    promptTokens: usage.prompt_tokens - (usage.prompt_tokens_details?.cached_tokens ?? 0),
    completionTokens: usage.completion_tokens,
    finish,
  }
}

/** Events with the moment at which their last byte was there. */
function eventsOf(arrivals: readonly Arrival[]): { at: number; data: z.infer<typeof chunk> }[] {
  let rest = ''
  return arrivals.flatMap(({ at, bytes }) => {
    // Prompts and answers may hold any character, but JSON lines split at "\n" only between events.
    const lines = (rest + bytes.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    return lines
      .filter((line) => line.startsWith('data: {'))
      .map((line) => ({ at, data: chunk.parse(JSON.parse(line.slice('data: '.length))) }))
  })
}

function textOf(arrivals: readonly Arrival[]): string {
  return Buffer.concat(arrivals.map(({ bytes }) => bytes)).toString('utf8')
}

function now(): number {
  return performance.now() / 1000
}
