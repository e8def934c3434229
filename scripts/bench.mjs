/**
 * `npm run bench [-- NAME ...] [--json] [--quick]`: runs the benches of bench/NAME/main.ts one after the other, so
 * that none measures another. Ends with the worst exit code: 1 a bar does not hold, 5 an anchor is missing.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { endWith, StartFailure } from './toolchain/failure.mjs'
import { ensureInstalled } from './toolchain/install.mjs'
import { runsOnNode24 } from './toolchain/launch.mjs'
import { inRoot, ROOT } from './toolchain/paths.mjs'

const program = (name) => inRoot('bench', name, 'main.ts')

async function main() {
  await ensureInstalled()
  if (!runsOnNode24(fileURLToPath(import.meta.url))) return
  const args = process.argv.slice(2)
  const named = args.filter((word) => !word.startsWith('-'))
  const flags = args.filter((word) => word.startsWith('-'))
  const present = readdirSync(inRoot('bench')).filter((name) => existsSync(program(name)))
  const unknown = named.find((name) => !present.includes(name))
  if (unknown !== undefined)
    throw new StartFailure(`There is no bench ${unknown}.`, `There are: ${present.join(', ')}.`)
  const codes = (named.length > 0 ? named : present).map(
    (name) => spawnSync(process.execPath, [program(name), ...flags], { cwd: ROOT, stdio: 'inherit' }).status ?? 1,
  )
  process.exitCode = codes.includes(1) ? 1 : Math.max(...codes)
}

main().catch(endWith)
