import { agentErrors } from '@medley/agent'
import { healthReasons } from '@medley/drivers'
import { llamaCppErrors } from '@medley/engine-llama-cpp'
import type { ErrorDefinition, Localized } from '@medley/kernel'
import { provingErrors } from '@medley/proving'
import { registryErrors } from '@medley/registry'
import { describe, expect, it } from 'vitest'

interface Console {
  readonly codeSentences: Readonly<Record<string, Localized>>
}
interface Server {
  readonly serverErrors: { readonly $definitions: Readonly<Record<string, ErrorDefinition>> }
}
// An app has no face for other code: this test reads its files as the generator of docs/reference does.
const fileOf = (path: string) => import(new URL(`../../apps/${path}`, import.meta.url).href)
const { codeSentences }: Console = await fileOf('console/src/i18n/codes.messages.ts')
const { serverErrors }: Server = await fileOf('server/errors.ts')

/** Codes that only ever answer a request, as a problem with its own words. */
const ONLY_PROBLEMS = ['proving.record.unknown', 'proving.cursor.invalid']
/** Said on the node itself, in the agent's log and on its command line; no status carries them. */
const SAID_ON_THE_NODE = /^agent\.(?:join|channel|credentials|upgrade)\./
/** The server's codes that travel as `{code, params}`: in steps of the start and in operations. */
const CODED_BY_SERVER = [
  'server.proving.failed',
  'server.deployment.failed',
  'server.model.not-ready',
  'server.unexpected',
]

const definitions: Readonly<Record<string, ErrorDefinition>> = {
  ...agentErrors.$definitions,
  ...llamaCppErrors.$definitions,
  ...provingErrors.$definitions,
  ...registryErrors.$definitions,
  ...Object.fromEntries(Object.entries(serverErrors.$definitions).filter(([code]) => CODED_BY_SERVER.includes(code))),
}
const coded = Object.keys(definitions).filter((code) => !ONLY_PROBLEMS.includes(code) && !SAID_ON_THE_NODE.test(code))
/** Written as literals where no error is thrown. */
const literals = ['server.bring-up.blocked', 'proving.failed', 'engine.failed', 'registry.model.damaged']

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)%?\}/g)].map(([, name]) => name ?? '').toSorted()
const allOf = ({ en, 'zh-CN': zh }: Localized) => [...placeholders(en), ...placeholders(zh)]

describe('codes the API hands out', () => {
  it('knows the server’s codes by their present names', () => {
    for (const code of CODED_BY_SERVER) expect(definitions).toHaveProperty([code])
  })

  it.each([...coded, ...literals, ...Object.keys(healthReasons)])('have a sentence in the console: %s', (code) => {
    const sentence = codeSentences[code]
    expect(sentence?.en).toMatch(/\w/)
    expect(sentence?.['zh-CN']).toMatch(/\p{Script=Han}/u)
    const [en, zh] = [placeholders(sentence?.en ?? ''), placeholders(sentence?.['zh-CN'] ?? '')]
    expect(new Set(zh)).toEqual(new Set(en))
  })

  it.each(coded)('ask for no parameter that the error does not carry: %s', (code) => {
    const { title, hint } = definitions[code] ?? { title: { en: '', 'zh-CN': '' }, hint: { en: '', 'zh-CN': '' } }
    // What no definition lists: the technical detail, and the sentence of the code inside.
    const known = new Set([...allOf(title), ...allOf(hint), 'detail', 'cause'])
    expect(placeholders(codeSentences[code]?.en ?? '').filter((name) => !known.has(name))).toEqual([])
  })
})
