/**
 * Cruises the sources with the rules of .dependency-cruiser.mjs. With an unfitting TypeScript the cruiser sees no
 * module at all and reports success, so what it saw is counted against the files there are.
 */
import { readdirSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import config from '../.dependency-cruiser.mjs'
import { inRoot, ROOT } from './toolchain/paths.mjs'

const FOLDERS = ['apps', 'bench', 'drivers', 'engines', 'executors', 'layers', 'platform', 'tests']
const SKIPPED = new Set(['node_modules', 'dist', 'fixtures', 'results'])

function sourcesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : sourcesUnder(path)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

/**
 * @param {string} root folder laid out as this repository
 * @returns {Promise<{ violations: { rule: string, from: string, to: string }[], sources: number, unseen: string[] }>}
 */
export async function cruiseTree(root) {
  const present = new Set(readdirSync(root))
  const folders = FOLDERS.filter((name) => present.has(name))
  const files = folders.flatMap((name) => sourcesUnder(join(root, name))).map((path) => relative(root, path))
  const { tsConfig, enhancedResolveOptions, ...options } = config.options
  const result = await cruise(
    files,
    { ...options, baseDir: root, ruleSet: { forbidden: config.forbidden }, validate: true },
    enhancedResolveOptions,
    { tsConfig: extractTSConfig(inRoot(tsConfig.fileName)) },
  )
  const { modules, summary } = result.output
  const seen = new Set(modules.map((module) => module.source))
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    sources: files.length,
    unseen: files.filter((file) => !seen.has(file)),
  }
}

async function main() {
  const { violations, sources, unseen } = await cruiseTree(ROOT)
  for (const { rule, from, to } of violations) console.log(`${rule}: ${from} → ${to}`)
  if (unseen.length > 0)
    console.log(`not seen by the cruise: ${unseen.slice(0, 10).join(', ')}${unseen.length > 10 ? ', …' : ''}`)
  console.log(`${sources - unseen.length} of ${sources} sources cruised, ${violations.length} violations`)
  process.exitCode = violations.length > 0 || unseen.length > 0 || sources < 15 ? 1 : 0
}

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await main()
