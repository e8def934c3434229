/**
 * Removes from node_modules what this platform can never load and what nothing here reads. `--runtime` also removes the headers and manuals of
 * Node 24, and reports what running needs apart from what building and testing need; build tools stay.
 *
 *   node scripts/prune.mjs [--runtime] [--json]
 */
import { existsSync, lstatSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closureOf, readLock } from './toolchain/lockfile.mjs'
import { inRoot } from './toolchain/paths.mjs'

const list = (path) => (existsSync(path) ? readdirSync(path) : [])

/** Bytes on disk of a tree: blocks, not lengths, because that is what `du` and a full disk count. */
function bytesOf(path) {
  const facts = lstatSync(path)
  const own = facts.blocks === undefined ? facts.size : facts.blocks * 512
  if (!facts.isDirectory()) return own
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), own)
}

function foreignOnnx() {
  const base = inRoot('node_modules', 'onnxruntime-node', 'bin', 'napi-v6')
  return list(base).flatMap((os) => {
    if (os !== process.platform) return [join(base, os)]
    return list(join(base, os))
      .filter((cpu) => cpu !== process.arch)
      .map((cpu) => join(base, os, cpu))
  })
}

function foreignLlama() {
  const os = { darwin: 'mac', win32: 'win', linux: 'linux' }[process.platform] ?? process.platform
  const own = new Set([`${os}-${process.arch}`, `${os}-${process.arch}-metal`])
  const base = inRoot('node_modules', '@node-llama-cpp')
  return list(base)
    .filter((name) => !own.has(name))
    .map((name) => join(base, name))
}

/** Whole libraries packed into one file for pages without a bundler, and maps of such: ours are built from the modules. */
function readyBundles() {
  const maps = list(inRoot('node_modules', 'swagger-ui-dist')).filter((name) => name.endsWith('.map'))
  return [
    ...['echarts', 'antd', join('@ant-design', 'icons')].map((name) => inRoot('node_modules', name, 'dist')),
    ...maps.map((name) => inRoot('node_modules', 'swagger-ui-dist', name)),
  ].filter((path) => existsSync(path))
}

function nodeManuals() {
  return list(inRoot('node_modules'))
    .filter((name) => /^node-(?:bin-)?(?:linux|darwin|win)-/.test(name))
    .flatMap((name) => ['include', 'share', 'CHANGELOG.md'].map((part) => inRoot('node_modules', name, part)))
    .filter((path) => existsSync(path))
}

/** @param {{ runtime?: boolean }} options */
export function prune(options = {}) {
  const doomed = [
    ...foreignOnnx(),
    ...foreignLlama(),
    ...readyBundles(),
    ...(options.runtime === true ? nodeManuals() : []),
  ]
  let removedBytes = 0
  for (const path of doomed) {
    removedBytes += bytesOf(path)
    rmSync(path, { recursive: true, force: true })
  }
  return { removed: doomed, removedBytes }
}

/** Workspaces that run; the console is served as built files, benches and tests do not run in a factory. */
const RUNTIME_WORKSPACE = /^(?:apps\/(?!console)|drivers|engines\/|executors\/|layers\/|platform\/(?!testkit))/

/** Paths in node_modules that the running factory needs: the closure of the workspaces' own dependencies. */
function runtimePaths() {
  const { packages } = readLock()
  const isNode = (path) => /^node_modules\/node-(?:bin-)?(?:linux|darwin|win)-/.test(path)
  const isRuntime = (path) => RUNTIME_WORKSPACE.test(path) && !path.includes('node_modules')
  const start = Object.keys(packages).filter((path) => isNode(path) || isRuntime(path))
  return [...closureOf(packages, start)].filter((path) => path.startsWith('node_modules/') && existsSync(inRoot(path)))
}

/** Sizes in bytes of what is installed and of the part that running needs. */
export function sizes() {
  // Packages nested in another one's folder are counted with it.
  const outer = runtimePaths().filter((path) => path.lastIndexOf('node_modules/') === 0)
  return {
    installedBytes: bytesOf(inRoot('node_modules')),
    runtimeBytes: outer.reduce((sum, path) => sum + bytesOf(inRoot(path)), 0),
  }
}

function main() {
  const { removed, removedBytes } = prune({ runtime: process.argv.includes('--runtime') })
  const report = { removedBytes, removed: removed.length, ...sizes() }
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(report))
    return
  }
  const mb = (bytes) => `${Math.round(bytes / 1e6)} MB`
  console.log(`removed ${mb(removedBytes)} in ${removed.length} places`)
  console.log(`node_modules as installed, with build tools: ${mb(report.installedBytes)}`)
  console.log(`of this, needed at run time: ${mb(report.runtimeBytes)}`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) main()
