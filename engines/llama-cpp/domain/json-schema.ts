/** The subset of JSON Schema for which the engine can force its output, as the grammar builder wants it. */
export type GrammarSchema = Readonly<Record<string, unknown>>

/** A schema that cannot be forced; `path` says where, in the client's own words. */
export class UnsupportedSchema extends Error {
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.name = 'UnsupportedSchema'
    this.path = path
  }
}

const SIMPLE_TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null'])
const STRING_FORMATS = new Set(['date-time', 'time', 'date'])
/** Keywords without a say in what is valid. */
const ANNOTATIONS = new Set(['title', 'description', 'default', 'examples', 'example', '$schema', '$id', '$comment'])
const MAX_DEPTH = 64

type Convert = (schema: Record<string, unknown>, path: string, depth: number) => GrammarSchema

/**
 * Translates a JSON schema for the grammar builder. What would silently be ignored there is refused here, so that an
 * answer either satisfies the schema or the request fails before it starts.
 *
 * Every property is generated whether required or not, and none beside them unless `additionalProperties` allows it:
 * both satisfy the schema.
 *
 * @throws {UnsupportedSchema} naming the place.
 */
export function toGrammarSchema(schema: unknown, path: string): GrammarSchema {
  return convert(schema, path, 0)
}

function convert(value: unknown, path: string, depth: number): GrammarSchema {
  if (depth > MAX_DEPTH) throw new UnsupportedSchema(path, `is nested deeper than ${MAX_DEPTH} levels`)
  if (!isRecord(value)) throw new UnsupportedSchema(path, 'must be a JSON schema object')
  const found = RULES.find(({ applies }) => applies(value))
  if (found === undefined) throw new UnsupportedSchema(path, 'needs a type, enum, const, anyOf, oneOf or $ref')
  for (const keyword of Object.keys(value)) {
    if (ANNOTATIONS.has(keyword) || found.keywords.has(keyword) || keyword === '$defs') continue
    throw new UnsupportedSchema(`${path}.${keyword}`, 'is not supported by this deployment')
  }
  const defs = value.$defs === undefined ? {} : { $defs: convertMap(value.$defs, `${path}.$defs`, depth) }
  return { ...found.convert(value, path, depth), ...defs }
}

interface Rule {
  readonly applies: (schema: Record<string, unknown>) => boolean
  readonly keywords: ReadonlySet<string>
  readonly convert: Convert
}

const RULES: readonly Rule[] = [
  { applies: (s) => '$ref' in s, keywords: new Set(['$ref']), convert: convertReference },
  { applies: (s) => 'const' in s, keywords: new Set(['const', 'type']), convert: convertConst },
  { applies: (s) => 'enum' in s, keywords: new Set(['enum', 'type']), convert: convertEnum },
  { applies: (s) => 'oneOf' in s, keywords: new Set(['oneOf']), convert: alternatives('oneOf') },
  // The grammar takes the first alternative that fits: for generating, anyOf and oneOf are the same.
  { applies: (s) => 'anyOf' in s, keywords: new Set(['anyOf']), convert: alternatives('anyOf') },
  {
    applies: (s) => Array.isArray(s.type) && s.type.some((type) => !SIMPLE_TYPES.has(String(type))),
    keywords: new Set(['type', ...objectKeywords(), ...arrayKeywords()]),
    convert: convertUnion,
  },
  { applies: (s) => s.type === 'object', keywords: objectKeywords(), convert: convertObject },
  { applies: (s) => s.type === 'array', keywords: arrayKeywords(), convert: convertArray },
  {
    applies: (s) => s.type === 'string',
    keywords: new Set(['type', 'minLength', 'maxLength', 'format']),
    convert: convertString,
  },
  { applies: (s) => 'type' in s, keywords: new Set(['type']), convert: convertSimple },
]

function objectKeywords(): Set<string> {
  return new Set(['type', 'properties', 'required', 'additionalProperties'])
}

function arrayKeywords(): Set<string> {
  return new Set(['type', 'items', 'prefixItems', 'minItems', 'maxItems'])
}

function convertReference(schema: Record<string, unknown>, path: string): GrammarSchema {
  const target = String(schema.$ref)
  if (!target.startsWith('#/$defs/')) throw new UnsupportedSchema(`${path}.$ref`, 'must point into #/$defs/')
  return { $ref: target }
}

function convertConst(schema: Record<string, unknown>, path: string): GrammarSchema {
  requireLiteral(schema.const, `${path}.const`)
  return { const: schema.const }
}

function convertEnum(schema: Record<string, unknown>, path: string): GrammarSchema {
  if (!Array.isArray(schema.enum) || schema.enum.length === 0) {
    throw new UnsupportedSchema(`${path}.enum`, 'must be a list with at least one value')
  }
  for (const [index, value] of schema.enum.entries()) requireLiteral(value, `${path}.enum[${index}]`)
  return { enum: schema.enum }
}

function requireLiteral(value: unknown, path: string): void {
  if (value !== null && !['string', 'number', 'boolean'].includes(typeof value)) {
    throw new UnsupportedSchema(path, 'must be a string, number, boolean or null')
  }
}

function alternatives(keyword: 'anyOf' | 'oneOf'): Convert {
  return (schema, path, depth) => {
    const options = schema[keyword]
    if (!Array.isArray(options) || options.length === 0) {
      throw new UnsupportedSchema(`${path}.${keyword}`, 'must be a list with at least one schema')
    }
    return { oneOf: options.map((option, index) => convert(option, `${path}.${keyword}[${index}]`, depth + 1)) }
  }
}

/** `type: ["object", "null"]` and the like: one alternative per type, each with the keywords of its type. */
function convertUnion(schema: Record<string, unknown>, path: string, depth: number): GrammarSchema {
  const types = Array.isArray(schema.type) ? schema.type : []
  return {
    oneOf: types.map((type: unknown) => {
      const keywords = type === 'object' ? objectKeywords() : type === 'array' ? arrayKeywords() : new Set<string>()
      const own = Object.fromEntries(Object.entries(schema).filter(([keyword]) => keywords.has(keyword)))
      return convert({ ...own, type }, path, depth + 1)
    }),
  }
}

function convertObject(schema: Record<string, unknown>, path: string, depth: number): GrammarSchema {
  const properties = schema.properties === undefined ? {} : convertMap(schema.properties, `${path}.properties`, depth)
  const required = Array.isArray(schema.required) ? schema.required : []
  const missing = required.find((name) => !Object.hasOwn(properties, String(name)))
  if (missing !== undefined) throw new UnsupportedSchema(`${path}.required`, `names "${missing}", which has no schema`)
  const extra = schema.additionalProperties
  // Without any property the schema means "some object"; with properties the fewest that satisfy it are enough.
  const open = extra ?? Object.keys(properties).length === 0
  return {
    type: 'object',
    properties,
    additionalProperties: typeof open === 'boolean' ? open : convert(open, `${path}.additionalProperties`, depth + 1),
  }
}

function convertArray(schema: Record<string, unknown>, path: string, depth: number): GrammarSchema {
  const { items, prefixItems } = schema
  const bounds = pickCounts(schema, ['minItems', 'maxItems'], path)
  if (prefixItems !== undefined && !Array.isArray(prefixItems)) {
    throw new UnsupportedSchema(`${path}.prefixItems`, 'must be a list of schemas')
  }
  return {
    type: 'array',
    ...bounds,
    ...(isRecord(items) ? { items: convert(items, `${path}.items`, depth + 1) } : {}),
    ...(Array.isArray(prefixItems)
      ? { prefixItems: prefixItems.map((item, at) => convert(item, `${path}.prefixItems[${at}]`, depth + 1)) }
      : {}),
  }
}

function convertString(schema: Record<string, unknown>, path: string): GrammarSchema {
  const { format } = schema
  const lengths = pickCounts(schema, ['minLength', 'maxLength'], path)
  if (format === undefined) return { type: 'string', ...lengths }
  if (!STRING_FORMATS.has(String(format))) {
    throw new UnsupportedSchema(`${path}.format`, `must be one of ${[...STRING_FORMATS].join(', ')}`)
  }
  if (Object.keys(lengths).length > 0) throw new UnsupportedSchema(`${path}.format`, 'cannot be joined with a length')
  return { type: 'string', format }
}

function convertSimple(schema: Record<string, unknown>, path: string): GrammarSchema {
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  const wrong = types.find((type) => !SIMPLE_TYPES.has(String(type)))
  if (wrong !== undefined || types.length === 0) throw new UnsupportedSchema(`${path}.type`, `"${wrong}" is not a type`)
  return { type: schema.type }
}

function convertMap(value: unknown, path: string, depth: number): Record<string, GrammarSchema> {
  if (!isRecord(value)) throw new UnsupportedSchema(path, 'must be an object of schemas')
  return Object.fromEntries(
    Object.entries(value).map(([name, schema]) => [name, convert(schema, `${path}.${name}`, depth + 1)]),
  )
}

function pickCounts(schema: Record<string, unknown>, names: readonly string[], path: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) {
    const value = schema[name]
    if (value === undefined) continue
    if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 10_000) {
      throw new UnsupportedSchema(`${path}.${name}`, 'must be a whole number from 0 to 10000')
    }
    counts[name] = Number(value)
  }
  return counts
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
