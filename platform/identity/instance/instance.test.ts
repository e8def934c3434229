import { randomBytes } from 'node:crypto'
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDirectory } from '@medley/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openInstance } from '../index.ts'

describe('openInstance', { timeout: 60_000 }, () => {
  it('makes an instance once and finds it again', async () => {
    await using folder = await tempDirectory()
    const first = await openInstance(folder.path)
    const again = await openInstance(folder.path)
    expect(first.id).toMatch(/^inst_[0-9a-f-]{36}$/)
    expect(again.id).toBe(first.id)
    expect(again.secrets).toEqual(first.secrets)
    expect(new Set(Object.values(first.secrets)).size).toBe(4)
  })

  it('agrees on one when several processes start for the first time at once', async () => {
    await using folder = await tempDirectory()
    const instances = await Promise.all(Array.from({ length: 8 }, () => openInstance(folder.path)))
    expect(new Set(instances.map((instance) => instance.id)).size).toBe(1)
    expect(await readdir(folder.path)).toEqual(['instance'])
  })

  it('keeps everything to its owner', async () => {
    await using folder = await tempDirectory()
    await openInstance(folder.path)
    const directory = join(folder.path, 'instance')
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    for (const name of await readdir(directory)) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    }
  })

  it('says so when a file is gone or was changed, instead of making a new instance', async () => {
    await using folder = await tempDirectory()
    const { id } = await openInstance(folder.path)
    const secrets = join(folder.path, 'instance', 'secrets.json')
    const before = await readFile(secrets, 'utf8')
    await writeFile(secrets, before.slice(0, 40))
    await expect(openInstance(folder.path)).rejects.toMatchObject({ code: 'identity.instance.damaged' })
    await rm(secrets)
    await expect(openInstance(folder.path)).rejects.toMatchObject({ code: 'identity.instance.damaged' })
    await writeFile(secrets, before)
    await chmod(secrets, 0o600)
    expect((await openInstance(folder.path)).id).toBe(id)
  })

  it('signs so that any other text or signature fails', async () => {
    await using folder = await tempDirectory()
    const instance = await openInstance(folder.path)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const signature = instance.sign(bytes)
        const altered = Uint8Array.from(bytes, (byte, index) => (index === 0 ? byte ^ 1 : byte))
        return instance.verify(bytes, signature) && !instance.verify(altered, signature)
      }),
    )
    expect(instance.verify(randomBytes(8), randomBytes(64))).toBe(false)
  })
})
