/**
 * Rules of this house that no ready tool knows. Each finding names the file, the line and the rule; warnings do not
 * fail the check. Looks at what git tracks or would track, so build outputs never matter.
 *
 *   node scripts/house-rules.mjs [ROOT]
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot, ROOT } from './toolchain/paths.mjs'

const CODE = /\.(?:ts|tsx|mjs|cjs|js|css|sql|sh|c)$/
const BINARY = /\.(?:png|jpg|ico|woff2?|gguf|onnx|wasm|gz|node)$/
const GENERATED = /(?:\.gen\.ts$|^package-lock\.json$|^bench\/results\/|^docs\/reference\/)/
const WARN_LINES = 300
const MOST_LINES = 500
const README_LINES = 60

/** Where a vendor's name is at home. Everything written for people may name whom it speaks of. */
const VENDOR_HOMES =
  /^(?:drivers\/|engines\/[^/]+\/profiles\/|executors\/[^/]+\/data\/|bench\/|solutions\/|docs\/|package-lock\.json$|LICENSE$)|\.md$/

const MODULE_ROOT =
  /^(?:layers\/[^/]+\/[^/]+|platform\/[^/]+|apps\/[^/]+|engines\/[^/]+|executors\/[^/]+|drivers(?:\/[^/]+)?|bench)\/index\.tsx?$/

/**
 * A name matches as a word of its own, also as a part of an identifier (`fooBar`, `foo_bar`, `foo910`), but not
 * inside a longer word. Short names must not touch digits: the architecture name `xxx64` is not the vendor.
 */
function vendorPattern() {
  const { names } = JSON.parse(readFileSync(inRoot('drivers', 'vendor-names.json'), 'utf8'))
  const plain = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[ -]/g, '[ _-]')
  const alternatives = names.map((name) =>
    /^[a-z]{1,4}$/.test(name) ? `(?<![a-z0-9])${plain(name)}(?![a-z0-9])` : `(?<![a-z])${plain(name)}(?![a-z])`,
  )
  return new RegExp(alternatives.join('|'), 'i')
}

/** `fooBar` read as `foo Bar`, so that the words of an identifier stand alone. */
const spaced = (line) => line.replace(/([a-z0-9])([A-Z])/g, '$1 $2')

const VENDOR = vendorPattern()

const HOME_PATH = /(?<![\w.~-])\/(?:root|Users|home\/[a-z][\w-]*)\/[\w.-]+/
/** Where this clone lies is nobody else's business; a clone right under the root has too plain a name to look for. */
const OWN_PATH = ROOT.split('/').length > 2 ? ROOT : null
const machinePath = (line) =>
  HOME_PATH.exec(line)?.[0] ?? (OWN_PATH !== null && line.includes(OWN_PATH) ? OWN_PATH : undefined)

const REGISTRY_HOST =
  /\b(?:registry\.(?:[a-z0-9-]+\.)+(?:org|com|cn|net|io|dev)|npmmirror\.com|npmjs\.(?:org|com)|pypi\.org|pythonhosted\.org|proxy\.golang\.org)\b/i
const CATCH_ALL_NAME = /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.[cm]?[jt]sx?$)/

/** Rules over one line: name, whether the file is concerned, and what must not be there. */
const LINE_RULES = [
  {
    rule: 'vendor-name-outside-drivers',
    concerns: (path) => !VENDOR_HOMES.test(path),
    finds: (line) => VENDOR.exec(line)?.[0] ?? VENDOR.exec(spaced(line))?.[0],
  },
  {
    rule: 'machine-path',
    // A bug report or a test of path handling may need one; it then stands in a fixture of its driver.
    concerns: (path) => !/^drivers\/[^/]+\/(?:samples|fixtures)\//.test(path),
    finds: machinePath,
  },
  {
    rule: 'registry-host',
    concerns: (path) => path !== 'scripts/house-rules.mjs',
    finds: (line) => REGISTRY_HOST.exec(line)?.[0],
  },
]

function* fileFindings(path, lines) {
  if (CATCH_ALL_NAME.test(path)) yield { rule: 'catch-all-name', path, line: 1, found: basename(path) }
  if (
    /(?:^|\/)index\.tsx?$/.test(path) &&
    !MODULE_ROOT.test(path) &&
    !/^apps\/console\/|^tests\/house\/fixtures\//.test(path)
  ) {
    yield { rule: 'barrel-inside-module', path, line: 1, found: 'only a module has an index.ts' }
  }
  if (CODE.test(path) && lines.length > WARN_LINES) {
    const warning = lines.length <= MOST_LINES
    yield {
      rule: 'file-length',
      path,
      line: lines.length,
      found: `${lines.length} lines, at most ${MOST_LINES}`,
      warning,
    }
  }
  if (
    basename(path) === 'README.md' &&
    path !== 'README.md' &&
    !path.startsWith('docs/') &&
    lines.length > README_LINES
  ) {
    yield { rule: 'readme-length', path, line: lines.length, found: `${lines.length} lines, at most ${README_LINES}` }
  }
}

function* lineFindings(path, lines) {
  const rules = LINE_RULES.filter((rule) => rule.concerns(path))
  for (const [index, line] of lines.entries()) {
    for (const { rule, finds } of rules) {
      const found = finds(line)
      if (found !== undefined) yield { rule, path, line: index + 1, found }
    }
  }
}

/** Modules say in a README what they are for. */
function* missingReadmes(root, paths) {
  for (const path of paths) {
    const isModule =
      /^(?:layers\/[^/]+\/[^/]+|platform\/[^/]+|apps\/[^/]+|engines\/[^/]+|executors\/[^/]+|drivers)\/package\.json$/
    if (!isModule.test(path)) continue
    const readme = path.replace('package.json', 'README.md')
    if (!existsSync(join(root, readme))) yield { rule: 'module-readme', path: readme, line: 1, found: 'missing' }
  }
}

/**
 * @param {string} root
 * @param {readonly string[]} paths relative to `root`, with forward slashes
 * @returns {{ rule: string, path: string, line: number, found: string, warning?: boolean }[]}
 */
export function inspect(root, paths) {
  const findings = [...missingReadmes(root, paths)]
  for (const path of paths) {
    if (GENERATED.test(path) || BINARY.test(path)) continue
    const lines = readFileSync(join(root, path), 'utf8').replace(/\n$/, '').split('\n')
    findings.push(...fileFindings(path, lines), ...lineFindings(path, lines))
  }
  return findings
}

/** What git tracks and what it would track. */
export function trackedFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const paths = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64e6 }).split('\0')
  return [...new Set(paths)].filter((path) => path !== '' && existsSync(join(root, path)))
}

function main() {
  const root = process.argv[2] ?? ROOT
  const paths = trackedFiles(root)
  const findings = inspect(root, paths)
  for (const { rule, path, line, found, warning } of findings) {
    console.log(`${warning === true ? 'warning ' : ''}${rule}: ${path}:${line}: ${found}`)
  }
  const errors = findings.filter((finding) => finding.warning !== true).length
  console.log(`${paths.length} files inspected, ${errors} errors, ${findings.length - errors} warnings`)
  process.exitCode = errors > 0 || paths.length === 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) main()
