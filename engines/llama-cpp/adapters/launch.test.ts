import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDirectory } from '@medley/testkit'
import { describe, expect, it } from 'vitest'
import { createLlamaCppAdapter } from '../index.ts'
import { exampleSpec } from '../testing/example-spec.ts'

describe('llama-cpp adapter', () => {
  it('plans the same endpoint again after a restart and keeps the specification to this user', async () => {
    await using directory = await tempDirectory()
    const run = join(directory.path, 'r')
    const spec = exampleSpec('/models/a.gguf')
    const launch = createLlamaCppAdapter().plan(spec, run)
    expect(createLlamaCppAdapter().plan(spec, run)).toEqual(launch)
    expect(launch.endpoint).toBe(`unix:${join(run, 'engine.sock')}`)
    const path = launch.env.MEDLEY_ENGINE_SPEC ?? ''
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(spec)
  })

  it('refuses a path no socket can have', () => {
    expect(() => createLlamaCppAdapter().plan(exampleSpec('/m'), `/${'x'.repeat(120)}`)).toThrow(
      expect.objectContaining({ code: 'engine.socket.path-too-long' }),
    )
  })
})

describe('version', () => {
  it('names the library, llama.cpp and the binaries that are installed, and reads them once', async () => {
    const adapter = createLlamaCppAdapter()
    const version = await adapter.version()
    expect(version.version).toMatch(/^node-llama-cpp \d+\.\d+\.\d+ \/ llama\.cpp \S+$/)
    expect(version.binaryDigest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await createLlamaCppAdapter().version()).toEqual(version)
    expect(await adapter.version()).toBe(version)
  })
})
