/**
 * `npm start`: from a fresh clone to a running factory. Plain JavaScript for the system's Node (>= 18), because
 * what it installs includes Node 24 itself. Arguments go to `medley up`: `npm start -- --data DIR --port N`.
 */
import { endWith } from './toolchain/failure.mjs'
import { inRoot } from './toolchain/paths.mjs'

async function main() {
  assertSystemNode()
  // Loaded only now: these use what an older Node would not even parse or have.
  const { ensureInstalled } = await import('./toolchain/install.mjs')
  const { ensureConsole } = await import('./toolchain/console.mjs')
  const { becomeNode24 } = await import('./toolchain/launch.mjs')
  await ensureInstalled()
  await ensureConsole()
  becomeNode24(inRoot('apps', 'cli', 'main.ts'), ['up', ...process.argv.slice(2)])
}

function assertSystemNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 18 || (major === 18 && minor >= 15)) return
  console.error(`✖ Node ${process.versions.node} is too old.\n  → Install Node.js 18.15 or newer and start again.`)
  process.exit(1)
}

main().catch(endWith)
