import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type FetchOptions, type FetchProgress, fetchModel, incomingDirectory, modelPath } from './index.ts'
import { type Behaviour, type ModelServer, startModelServer } from './testing/model-server.ts'
import { type SmallModel, sha256, smallModel } from './testing/small-entry.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'medley-registry-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function served(content: Buffer, behaviour?: Behaviour): Promise<ModelServer> {
  const server = await startModelServer(content, behaviour)
  cleanups.push(() => server.close())
  return server
}

interface Setup {
  readonly small: SmallModel
  readonly server: ModelServer
  readonly options: FetchOptions
}

async function setup(behaviour?: Behaviour, model = smallModel()): Promise<Setup> {
  const server = await served(model.content, behaviour)
  const directory = await temporaryDirectory()
  const env = { HF_ENDPOINT: server.url }
  return { small: model, server, options: { directory, env, retryDelayMs: 1, idleTimeoutMs: 2_000 } }
}

const finalFile = ({ small, options }: Setup) => readFile(modelPath(options.directory, small.entry))

describe('fetchModel over HTTP', () => {
  it('places the whole file, tells progress, and leaves nothing else behind', async () => {
    const given = await setup()
    const seen: FetchProgress[] = []
    const result = await fetchModel(given.small.entry, { ...given.options, onProgress: (each) => seen.push(each) })
    expect(result).toMatchObject({ source: 'huggingface', digest: `sha256:${given.small.entry.file.sha256}` })
    expect((await finalFile(given)).equals(given.small.content)).toBe(true)
    expect(seen.at(-1)).toMatchObject({ phase: 'verifying', doneBytes: 300_000, totalBytes: 300_000 })
    expect(await readdir(join(given.options.directory, '.partial', given.small.entry.file.sha256))).toEqual([])
  })

  it('goes on where a cut connection stopped', async () => {
    const given = await setup({ cuts: [100_000, 50_000, null] })
    await fetchModel(given.small.entry, given.options)
    expect(given.server.offsets).toHaveLength(3)
    expect(given.server.offsets[0]).toBe(0)
    expect(given.server.offsets[1]).toBeGreaterThan(0)
    expect(given.server.offsets[2]).toBeGreaterThan(given.server.offsets[1] ?? 0)
    expect((await finalFile(given)).equals(given.small.content)).toBe(true)
  })

  it('gives up a connection that fell silent and goes on with another', async () => {
    const given = await setup({ cuts: [100_000, null], hang: true })
    await fetchModel(given.small.entry, { ...given.options, idleTimeoutMs: 1_000 })
    expect(given.server.offsets.length).toBeGreaterThan(1)
    expect((await finalFile(given)).equals(given.small.content)).toBe(true)
  })

  it('refuses a file of another size before it takes a byte', async () => {
    const small = smallModel()
    const given = await setup({ body: () => Buffer.alloc(small.content.length + 1) }, small)
    await expect(fetchModel(small.entry, given.options)).rejects.toThrow('300001 bytes where 300000 were expected')
    expect(given.server.offsets).toHaveLength(1)
  })

  it('starts over cleanly at a server that ignores ranges', async () => {
    const given = await setup({ cuts: [100_000, 120_000, null], ignoreRange: true })
    await fetchModel(given.small.entry, given.options)
    expect((await finalFile(given)).equals(given.small.content)).toBe(true)
  })

  it('does not stitch two versions together when the file changed between', async () => {
    const small = smallModel()
    const other = Buffer.alloc(small.content.length, 7)
    const given = await setup(
      { cuts: [100_000, null], body: (number) => (number === 0 ? other : small.content) },
      small,
    )
    await fetchModel(small.entry, given.options)
    expect((await finalFile(given)).equals(small.content)).toBe(true)
  })

  it('survives bad seconds of the server', async () => {
    const given = await setup({ status: (number) => (number < 2 ? 503 : null) })
    expect((await fetchModel(given.small.entry, given.options)).source).toBe('huggingface')
  })

  it('never places a file of the wrong checksum and says both sums', async () => {
    const small = smallModel()
    const wrong = Buffer.alloc(small.content.length, 1)
    const given = await setup({ body: () => wrong }, small)
    const failure = fetchModel(small.entry, given.options)
    await expect(failure).rejects.toMatchObject({ code: 'registry.model.unobtainable' })
    await expect(failure).rejects.toThrow(sha256(wrong))
    await expect(failure).rejects.toThrow(small.entry.file.sha256)
    await expect(finalFile(given)).rejects.toThrow('ENOENT')
  })

  it('throws away a resumed file of the wrong checksum and takes it afresh', async () => {
    const given = await setup({ etag: () => null })
    const partial = join(given.options.directory, '.partial', given.small.entry.file.sha256)
    await mkdir(partial, { recursive: true })
    await writeFile(join(partial, 'http.part'), Buffer.alloc(1000))
    const url = `${given.server.url}/owner/name/resolve/main/model.gguf`
    await writeFile(join(partial, 'http.part.json'), JSON.stringify({ url, validator: null }))
    await fetchModel(given.small.entry, given.options)
    expect(given.server.offsets).toEqual([1000, 0])
    expect((await finalFile(given)).equals(given.small.content)).toBe(true)
  })

  it('stops at once when told to and keeps what it has for the next time', async () => {
    const given = await setup({ cuts: Array.from({ length: 50 }, () => 10_000) })
    const stop = new AbortController()
    const onProgress = ({ doneBytes }: FetchProgress) => doneBytes > 30_000 && stop.abort(new Error('stopped by test'))
    await expect(fetchModel(given.small.entry, { ...given.options, signal: stop.signal, onProgress })).rejects.toThrow(
      'stopped by test',
    )
    const asked = given.server.offsets.length
    await fetchModel(given.small.entry, given.options)
    expect(given.server.offsets[asked]).toBeGreaterThan(0)
  })

  it('fetches once when two ask at the same time', async () => {
    const given = await setup()
    const results = await Promise.all([1, 2].map(() => fetchModel(given.small.entry, given.options)))
    expect(results.map((each) => each.source).sort()).toEqual(['huggingface', 'present'])
    expect(given.server.offsets).toEqual([0])
  })

  it('goes on after a process was killed in the middle', async () => {
    const small = smallModel()
    const given = await setup({ cuts: [150_000], hang: true }, small)
    const program = `
      const { fetchModel } = await import(process.argv[1])
      await fetchModel(JSON.parse(process.argv[2]), { directory: process.argv[3], idleTimeoutMs: 600000 })`
    const module = new URL('./index.ts', import.meta.url).href
    const args = ['--input-type=module', '-e', program, module, JSON.stringify(small.entry), given.options.directory]
    const child = spawn(process.execPath, args, { env: { ...process.env, ...given.options.env }, stdio: 'inherit' })
    const ended = new Promise((resolve) => child.on('close', resolve))
    const part = join(given.options.directory, '.partial', small.entry.file.sha256, 'http.part')
    await expect.poll(async () => (await readFile(part).catch(() => '')).length, { timeout: 60_000 }).toBe(150_000)
    child.kill('SIGKILL')
    await ended
    await fetchModel(small.entry, given.options)
    expect(given.server.offsets).toEqual([0, 150_000])
    expect((await finalFile(given)).equals(small.content)).toBe(true)
  })
})

describe('fetchModel from a file', () => {
  it('takes a file that was named, and one that was put into the incoming folder', async () => {
    const { content, entry } = smallModel()
    const named = join(await temporaryDirectory(), 'mine.gguf')
    await writeFile(named, content)
    const first = await fetchModel(entry, {
      directory: await temporaryDirectory(),
      env: { MEDLEY_STARTER_MODEL: named },
    })
    expect(first.source).toBe('file')

    const directory = await temporaryDirectory()
    await mkdir(incomingDirectory(directory), { recursive: true })
    await writeFile(join(incomingDirectory(directory), 'any-name.gguf'), content)
    await fetchModel(entry, { directory, env: {} })
    expect((await readFile(modelPath(directory, entry))).equals(content)).toBe(true)
  })

  it('mends a file that rotted under its final name', async () => {
    const { content, entry } = smallModel()
    const directory = await temporaryDirectory()
    const file = join(await temporaryDirectory(), 'mine.gguf')
    await writeFile(file, content)
    const { path } = await fetchModel(entry, { directory, file, env: {} })
    expect((await fetchModel(entry, { directory, env: {} })).source).toBe('present')
    await writeFile(path, Buffer.alloc(content.length, 3))
    expect((await fetchModel(entry, { directory, file, env: {} })).source).toBe('file')
    expect((await readFile(path)).equals(content)).toBe(true)
  })

  it('says of each source why not, and exactly what to put where', async () => {
    const { entry } = smallModel()
    const directory = await temporaryDirectory()
    const file = join(directory, 'short.gguf')
    await writeFile(file, 'too short')
    const gone = await startModelServer(Buffer.alloc(0))
    await gone.close()
    const options = { directory, file, env: { HF_ENDPOINT: gone.url } }
    const failure = await fetchModel(entry, options).catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'registry.model.unobtainable',
      errors: [{ path: 'file' }, { path: 'huggingface' }],
      params: { directory: incomingDirectory(directory), file: 'model.gguf', sha256: entry.file.sha256 },
    })
    expect(String(failure)).toContain(`Put model.gguf (300000 bytes, SHA-256 ${entry.file.sha256})`)
  })

  it('refuses a source it does not know', async () => {
    const { entry } = smallModel()
    const options = { directory: await temporaryDirectory(), env: { MEDLEY_MODEL_SOURCES: 'file,ftp' } }
    await expect(fetchModel(entry, options)).rejects.toMatchObject({ code: 'registry.sources.invalid' })
  })
})
