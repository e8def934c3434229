/**
 * `npm run check`: everything that can be said about the sources without running them. All steps run, also after a
 * failure, so that one look shows all there is to mend. `npm run check -- STEP ...` runs some of them.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { endWith } from './toolchain/failure.mjs'
import { ensureInstalled } from './toolchain/install.mjs'
import { runsOnNode24 } from './toolchain/launch.mjs'
import { inRoot, ROOT } from './toolchain/paths.mjs'
import { seconds } from './toolchain/progress.mjs'

const tool = (...parts) => inRoot('node_modules', ...parts)

const STEPS = [
  {
    name: 'format and lint',
    args: [
      tool('@biomejs', 'biome', 'bin', 'biome'),
      'ci',
      '--colors=off',
      '--diagnostic-level=error',
      '--max-diagnostics=60',
    ],
  },
  { name: 'types', args: [tool('typescript', 'bin', 'tsc'), '-p', '.'] },
  {
    name: 'console types',
    args: [tool('typescript', 'bin', 'tsc'), '-p', 'apps/console'],
    when: 'apps/console/tsconfig.json',
  },
  { name: 'boundaries', args: [inRoot('scripts', 'boundaries.mjs')] },
  { name: 'dead code', args: [tool('knip', 'bin', 'knip.js'), '--no-progress'] },
  { name: 'house rules', args: [inRoot('scripts', 'house-rules.mjs')] },
  { name: 'generated pages', args: [inRoot('scripts', 'generate-reference.mjs'), '--check'] },
]

/** Enough to start mending; the tool itself tells the rest. */
const MOST_LINES = 150

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const read = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', reject)
    child.once('close', (code) => resolve({ ok: code === 0, output: output.trim() }))
  })
}

function shown(output) {
  const lines = output.split('\n')
  const more = lines.length > MOST_LINES ? [`… ${lines.length - MOST_LINES} lines more`] : []
  return [...lines.slice(0, MOST_LINES), ...more].map((line) => `    ${line}`).join('\n')
}

async function main() {
  await ensureInstalled()
  if (!runsOnNode24(fileURLToPath(import.meta.url))) return
  const wanted = process.argv.slice(2)
  const steps = STEPS.filter((step) => wanted.length === 0 || wanted.includes(step.name))
  if (steps.length === 0) throw new Error(`steps are: ${STEPS.map((step) => step.name).join(', ')}`)
  const failed = []
  for (const step of steps) {
    if (step.when !== undefined && !existsSync(inRoot(step.when))) continue
    const startedAt = Date.now()
    const { ok, output } = await run(step.args)
    console.log(`${ok ? '✔' : '✖'} ${step.name} · ${seconds(Date.now() - startedAt)}`)
    if (output !== '') console.log(shown(output))
    if (!ok) failed.push(step.name)
  }
  const good = steps.length - failed.length
  console.log(`${good} of ${steps.length} checks passed${failed.length === 0 ? '' : `; failed: ${failed.join(', ')}`}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

main().catch(endWith)
