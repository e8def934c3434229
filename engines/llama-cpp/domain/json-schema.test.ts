import { describe, expect, it } from 'vitest'
import { toGrammarSchema, UnsupportedSchema } from './json-schema.ts'

describe('toGrammarSchema', () => {
  it('keeps what can be forced and drops annotations', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'City',
      type: 'object',
      properties: {
        name: { type: 'string', description: 'as locals write it', maxLength: 20 },
        kind: { type: 'string', enum: ['town', 'city'] },
        mayor: { anyOf: [{ $ref: '#/$defs/person' }, { type: 'null' }] },
        tags: { type: ['array', 'null'], items: { type: 'string' } },
      },
      required: ['name'],
      additionalProperties: false,
      $defs: { person: { type: 'object', properties: { born: { type: ['integer', 'null'] } } } },
    }
    expect(toGrammarSchema(schema, 'schema')).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 20 },
        kind: { enum: ['town', 'city'] },
        mayor: { oneOf: [{ $ref: '#/$defs/person' }, { type: 'null' }] },
        tags: { oneOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
      },
      additionalProperties: false,
      $defs: {
        person: { type: 'object', properties: { born: { type: ['integer', 'null'] } }, additionalProperties: false },
      },
    })
  })

  it.each([
    [{ type: 'object', properties: { age: { type: 'integer', minimum: 0 } } }, 'schema.properties.age.minimum'],
    [{ type: 'array', items: { type: 'string', pattern: 'a+' } }, 'schema.items.pattern'],
    [{ type: 'string', format: 'email' }, 'schema.format'],
    [{ type: 'object', properties: {}, required: ['x'] }, 'schema.required'],
    [{ $ref: '#/definitions/a' }, 'schema.$ref'],
    [{ type: 'object', properties: { a: { allOf: [] } } }, 'schema.properties.a'],
    [{ anyOf: [{ type: 'string' }, { type: 'spring' }] }, 'schema.anyOf[1].type'],
    [{ enum: [{}] }, 'schema.enum[0]'],
    [true, 'schema'],
  ])('refuses %j at %s', (schema, path) => {
    expect(() => toGrammarSchema(schema, 'schema')).toThrow(expect.objectContaining({ path }))
    expect(() => toGrammarSchema(schema, 'schema')).toThrow(UnsupportedSchema)
  })
})
