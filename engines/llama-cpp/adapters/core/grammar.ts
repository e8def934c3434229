import { digestOf, type Json } from '@medley/kernel'
import type { Llama, LlamaGrammar } from 'node-llama-cpp'
import { toGrammarSchema, UnsupportedSchema } from '../../domain/json-schema.ts'
import { badRequest } from './request-error.ts'

export interface GrammarSource {
  /**
   * @param path Where the schema stands in the request, for the error message.
   * @throws {RequestError} 400 naming the place that cannot be forced.
   */
  forSchema(schema: Json, path: string): Promise<LlamaGrammar>
  /** Any JSON object. */
  anyObject(): Promise<LlamaGrammar>
}

type SchemaCompiler = Llama['createGrammarForJsonSchema']

/** Grammars are compiled once and kept: clients repeat their schemas with every request. */
const KEEP = 32

export function createGrammarSource(llama: Llama): GrammarSource {
  const compiled = new Map<string, LlamaGrammar>()

  const forSchema = async (schema: Json, path: string): Promise<LlamaGrammar> => {
    const key = digestOf(schema)
    const known = compiled.get(key)
    if (known !== undefined) return known
    const grammar = await compile(llama, schema, path)
    compiled.set(key, grammar)
    for (const oldest of compiled.keys()) {
      if (compiled.size <= KEEP) break
      compiled.delete(oldest)
    }
    return grammar
  }
  return { forSchema, anyObject: () => forSchema({ type: 'object', additionalProperties: true }, 'response_format') }
}

async function compile(llama: Llama, schema: Json, path: string): Promise<LlamaGrammar> {
  // The translation checks what the library's recursive type would ask of a literal.
  try {
    const padded = await llama.createGrammarForJsonSchema(
      toGrammarSchema(schema, path) as Parameters<SchemaCompiler>[0],
    )
    return await llama.createGrammar({ grammar: withoutPadding(padded.grammar) })
  } catch (cause) {
    if (cause instanceof UnsupportedSchema) throw badRequest(cause.path, `${cause.path} ${cause.message}.`)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw badRequest(path, `The schema cannot be turned into a grammar: ${reason}`)
  }
}

/**
 * The library's JSON grammars demand four line ends after the value, which its own chat classes wait for: four tokens
 * no client wants. Without them nothing but an end token may follow, and the answer ends with its last bracket.
 *
 * @throws {Error} when the library has changed its grammar: better than answers full of line ends.
 */
function withoutPadding(grammar: string): string {
  const bare = grammar.replace(/^(root ::= .*) "\\n\\n\\n\\n" \[\\n\]\*$/m, '$1')
  if (bare === grammar) throw new Error('the JSON grammar of node-llama-cpp has an unknown form')
  return bare
}
