/**
 * `npm run pack:agent`: the agent as one file that a server hands to its nodes, in dist/agent or the folder given. JSON,
 * gzipped: nothing to unpack but names and contents. Natives are not in it; a node has them from its installation.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { endWith } from '../toolchain/failure.mjs'
import { ensureInstalled } from '../toolchain/install.mjs'
import { runsOnNode24 } from '../toolchain/launch.mjs'
import { inRoot } from '../toolchain/paths.mjs'

/** The agent, and the programs it starts from beside itself. */
const PARTS = ['agent.mjs', 'llama-cpp-child.mjs', 'probe-child.js']
const OUT = process.argv[2] === undefined ? inRoot('dist', 'agent') : resolve(process.argv[2])

async function pack() {
  const { bundlePrograms } = await import('./bundle.mjs')
  const { AGENT_VERSION: version } = await import('../../apps/agent/version.ts')
  rmSync(OUT, { recursive: true, force: true })
  const programs = join(OUT, 'programs')
  mkdirSync(programs, { recursive: true })
  await bundlePrograms(programs, PARTS)
  const files = readdirSync(programs, { recursive: true })
    .filter((path) => statSync(join(programs, path)).isFile())
    .sort()
    .map((path) => ({
      path: path.split(sep).join('/'),
      content: readFileSync(join(programs, path)).toString('base64'),
    }))
  const bytes = gzipSync(JSON.stringify({ format: 'medley agent bundle 1', version, files }), { level: 9 })
  const file = join(OUT, `medley-agent-${version}.json.gz`)
  writeFileSync(file, bytes)
  // What a server needs beside its own signature to offer it.
  const manifest = { version, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  writeFileSync(join(OUT, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  console.log(JSON.stringify({ file, files: files.length, ...manifest }))
}

async function main() {
  await ensureInstalled()
  if (runsOnNode24(fileURLToPath(import.meta.url))) await pack()
}

main().catch(endWith)
