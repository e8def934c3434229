import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { inspect } from '../../scripts/house-rules.mjs'

const { names } = JSON.parse(readFileSync(new URL('../../drivers/vendor-names.json', import.meta.url), 'utf8')) as {
  names: string[]
}
const longName = names.find((name) => /^[a-z]{6,}$/.test(name)) ?? ''
const shortName = names.find((name) => /^[a-z]{3}$/.test(name)) ?? ''

const roots: string[] = []

function findingsOf(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'medley-house-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return inspect(root, Object.keys(files)).map(({ rule, path, line, warning }) =>
    [warning === true ? 'warning' : 'error', rule, `${path}:${line}`].join(' '),
  )
}

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

describe('vendor names', () => {
  it('are refused outside the drivers, also as a part of an identifier', () => {
    const capital = `${longName.slice(0, 1).toUpperCase()}${longName.slice(1)}`
    const text = ['const free = 1', `const ${longName}Count = 1`, `const my${capital} = 1`, `// ${capital}910`].join(
      '\n',
    )
    expect(findingsOf({ 'layers/1-compute/fleet/fleet.ts': text })).toEqual([
      'error vendor-name-outside-drivers layers/1-compute/fleet/fleet.ts:2',
      'error vendor-name-outside-drivers layers/1-compute/fleet/fleet.ts:3',
      'error vendor-name-outside-drivers layers/1-compute/fleet/fleet.ts:4',
    ])
  })

  it('are at home in drivers, profiles, data, benches, solutions and documents', () => {
    const text = `// ${longName}`
    const homes = [
      'drivers/x/driver.ts',
      'engines/e/profiles/p.json',
      'executors/k/data/d.json',
      'bench/b.ts',
      'solutions/s.json',
      'docs/d.md',
      'README.md',
    ]
    expect(findingsOf(Object.fromEntries(homes.map((path) => [path, text])))).toEqual([])
  })

  it('do not hide in longer words', () => {
    expect(findingsOf({ 'apps/cli/a.ts': `const a = '${shortName}64 pre${longName} ${longName}ing'` })).toEqual([])
  })
})

describe('files', () => {
  it('get a warning above 300 lines and an error above 500', () => {
    const lines = (count: number) => 'x\n'.repeat(count)
    expect(findingsOf({ 'a.ts': lines(300), 'b.ts': lines(301), 'c.ts': lines(501), 'd.gen.ts': lines(900) })).toEqual([
      'warning file-length b.ts:301',
      'error file-length c.ts:501',
    ])
  })

  it.each(['utils.ts', 'helpers/x.ts', 'common/index.tsx'])('are not called %s', (name) => {
    expect(findingsOf({ [`platform/store/${name}`]: '' }).join()).toContain('catch-all-name')
  })

  it('do not name a machine or a registry', () => {
    const home = ['', 'home', 'someone', 'model.gguf'].join('/')
    const host = ['registry', 'example', 'com'].join('.')
    expect(findingsOf({ 'apps/cli/a.ts': `// ${home}\n// https://${host}/x` })).toEqual([
      'error machine-path apps/cli/a.ts:1',
      'error registry-host apps/cli/a.ts:2',
    ])
  })
})

describe('modules', () => {
  it('have a README of at most one screen', () => {
    const long = { 'platform/a/package.json': '{}', 'platform/a/README.md': 'x\n'.repeat(61) }
    expect(findingsOf({ ...long, 'platform/b/package.json': '{}' })).toEqual([
      'error module-readme platform/b/README.md:1',
      'error readme-length platform/a/README.md:61',
    ])
  })

  it('have one barrel, their own index.ts', () => {
    const files = { 'platform/a/index.ts': '', 'platform/a/adapters/index.ts': '' }
    expect(findingsOf(files)).toEqual(['error barrel-inside-module platform/a/adapters/index.ts:1'])
  })
})
