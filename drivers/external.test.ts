import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDrivers, loadDrivers, parseSavedOutput } from './index.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'medley-drivers-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function addDriver(name: string, source: string): Promise<void> {
  await mkdir(join(folder, name))
  await writeFile(join(folder, name, 'driver.mjs'), source)
}

const TAKEN = createDrivers().map(({ name }) => name)

describe.each(['add-a-chip.md', 'add-a-chip.zh-CN.md'])('the driver of docs/guides/%s', (guide) => {
  it('is loaded from a folder and reads the saved output of the guide', async () => {
    const text = await readFile(new URL(`../docs/guides/${guide}`, import.meta.url), 'utf8')
    await addDriver('acme', /```js\n(.*?)```/s.exec(text)?.[1] ?? '')
    const { drivers, failures } = await loadDrivers(folder, TAKEN)
    expect(failures).toEqual([])
    const acme = createDrivers(drivers).find(({ name }) => name === 'acme')
    const saved = /printf '([^']+)'/.exec(text)?.[1]?.replaceAll('\\n', '\n') ?? ''
    expect(acme && parseSavedOutput(acme, saved).chips).toMatchObject([
      { vendor: 'acme', index: 0, uuid: 'ACME-1', product: 'Acme One', temperatureCelsius: 41, health: 'healthy' },
    ])
  })
})

describe('a folder of drivers', () => {
  it('that is not there holds none', async () => {
    expect(await loadDrivers(join(folder, 'missing'), TAKEN)).toEqual({ drivers: [], failures: [] })
  })

  it('says of each that cannot be used why, and loads the others', async () => {
    const text = await readFile(new URL('../docs/guides/add-a-chip.md', import.meta.url), 'utf8')
    const good = /```js\n(.*?)```/s.exec(text)?.[1] ?? ''
    await addDriver('acme', good)
    await addDriver('again', good)
    await addDriver('broken', 'export const createDriver = (')
    await addDriver('other', 'export const somethingElse = 1')
    await addDriver('short', "export const createDriver = () => ({ name: 'short', layoutVerified: false })")
    await addDriver('taken', good.replace("name: 'acme'", "name: 'cpu'"))
    await addDriver('throws', "export const createDriver = () => { throw new Error('no licence') }")
    await mkdir(join(folder, 'empty'))
    const { drivers, failures } = await loadDrivers(folder, TAKEN)
    expect(drivers.map(({ name }) => name)).toEqual(['acme'])
    expect(Object.fromEntries(failures.map((failure) => [failure.folder, failure.message]))).toMatchObject({
      again: 'the name acme is taken',
      empty: expect.stringContaining('driver.mjs'),
      other: expect.stringContaining('createDriver'),
      short: expect.stringContaining('domestic'),
      taken: 'the name cpu is taken',
      throws: 'no licence',
    })
    expect(failures.map((failure) => failure.folder)).toContain('broken')
  })

  it('is not run where others may write', async () => {
    await addDriver('acme', 'export const createDriver = () => { throw new Error("was run") }')
    await chmod(join(folder, 'acme'), 0o777)
    const { failures } = await loadDrivers(folder, TAKEN)
    expect(failures).toMatchObject([{ folder: 'acme', message: expect.stringContaining('others may write') }])
  })

  it('is not run where others may write to what it imports, or to the folder of all', async () => {
    const fails = 'export const createDriver = () => { throw new Error("was run") }'
    await addDriver('acme', `import './lib/more.mjs'\n${fails}`)
    await mkdir(join(folder, 'acme', 'lib'))
    const more = join(folder, 'acme', 'lib', 'more.mjs')
    await writeFile(more, '')
    await chmod(more, 0o666)
    const messages = async () => (await loadDrivers(folder, TAKEN)).failures.map(({ message }) => message)
    expect(await messages()).toEqual(['others may write to more.mjs: chmod go-w'])
    await chmod(more, 0o644)
    await chmod(folder, 0o777)
    expect(await messages()).toEqual([expect.stringContaining('others may write')])
    await chmod(folder, 0o700)
    const shared = join(folder, 'shared.mjs')
    await writeFile(shared, '')
    await chmod(shared, 0o666)
    expect(await messages()).toEqual(['others may write to shared.mjs: chmod go-w'])
    await chmod(shared, 0o644)
    expect(await messages()).toEqual(['was run'])
  })

  it('says that a link is not followed', async () => {
    const elsewhere = join(folder, 'acme', 'elsewhere')
    await addDriver('acme', '')
    await mkdir(elsewhere)
    await symlink(elsewhere, join(folder, 'linked'))
    await symlink(tmpdir(), join(folder, 'acme', 'out'))
    const { failures } = await loadDrivers(folder, TAKEN)
    expect(failures).toEqual([
      { folder: 'acme', message: 'the link out leads out of it' },
      { folder: 'linked', message: expect.stringContaining('it is a link') },
    ])
  })

  it('may be named by a link: the operator chose where it leads', async () => {
    await mkdir(join(folder, 'real', 'acme'), { recursive: true })
    await writeFile(
      join(folder, 'real', 'acme', 'driver.mjs'),
      'export const createDriver = () => { throw new Error("run") }',
    )
    await symlink(join(folder, 'real'), join(folder, 'drivers.d'))
    const { failures } = await loadDrivers(join(folder, 'drivers.d'), TAKEN)
    expect(failures).toEqual([{ folder: 'acme', message: 'run' }])
  })

  it('may hold drivers of a class, and none for the cards of another driver', async () => {
    const source = (name: string, pci: string) => `class Driver {
      name = '${name}'; layoutVerified = false; domestic = null; pciVendorIds = ['${pci}']; kubernetesResources = []
      torchDevice = null; collectiveLibrary = null; sheets = []; #seen = 'known'
      async read() { return [] }
      bind() { return { env: {}, devices: [], mounts: [] } }
      recognise() { return this.#seen }
      parseOutput(text) { return { command: this.#seen, chips: [], facts: {}, raw: text } }
    }
    export const createDriver = () => new Driver()`
    await addDriver('classy', source('classy', 'acdf'))
    await addDriver('second', source('second', 'acdf'))
    await addDriver('thief', source('thief', '10de'))
    const { drivers, failures } = await loadDrivers(folder, TAKEN)
    const classy = createDrivers(drivers).find(({ name }) => name === 'classy')
    expect(classy?.recognise('')).toBe('known')
    expect(classy?.parseOutput('text')).toMatchObject({ command: 'known', raw: 'text' })
    expect(classy?.bind([])).toEqual({ env: {}, devices: [], mounts: [] })
    expect(failures).toEqual([
      { folder: 'second', message: "the PCI vendor acdf is another driver's" },
      { folder: 'thief', message: "the PCI vendor 10de is another driver's" },
    ])
  })
})
