/**
 * `npm test` and its lanes: `npm test [LANE ...] [-- VITEST ARGS]`. Installs first when needed, runs vitest under
 * Node 24 whatever Node started it, and closes with one line `N passed, N failed, N skipped` for all lanes together.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from './toolchain/chromium.mjs'
import { ensureConsole } from './toolchain/console.mjs'
import { endWith } from './toolchain/failure.mjs'
import { ensureInstalled } from './toolchain/install.mjs'
import { runsOnNode24 } from './toolchain/launch.mjs'
import { inRoot, ROOT } from './toolchain/paths.mjs'

const LANES = ['default', 'browser', 'packed', 'nightly', 'gpu']

function parse(argv) {
  const cut = argv.findIndex((word) => !LANES.includes(word))
  const lanes = cut === -1 ? argv : argv.slice(0, cut)
  const rest = cut === -1 ? [] : argv.slice(cut)
  return { lanes, rest: rest[0] === '--' ? rest.slice(1) : rest }
}

function runVitest(lane, args, report) {
  const vitest = inRoot('node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const path = [dirname(process.execPath), inRoot('node_modules', '.bin'), process.env.PATH].join(delimiter)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, PATH: path, MEDLEY_LANE: lane },
    })
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal === null ? code : 1))
  })
}

/** Counts of one lane. A file that failed to load has no tests to count, yet it is a failure. */
function countsOf(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
  const result = JSON.parse(readFileSync(report, 'utf8'))
  const brokenFiles = result.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + brokenFiles.length,
    skipped: result.numPendingTests + (result.numTodoTests ?? 0),
  }
}

async function runLane(lane, args) {
  const directory = mkdtempSync(join(tmpdir(), 'medley-test-'))
  const report = join(directory, 'report.json')
  try {
    const code = await runVitest(lane, args, report)
    const counts = countsOf(report)
    // Unhandled errors and an empty lane fail the run without failing a test.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    return counts
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function main() {
  await ensureInstalled()
  if (!runsOnNode24(fileURLToPath(import.meta.url))) return
  const { lanes, rest } = parse(process.argv.slice(2))
  const everything = lanes.length === 0 && rest.length === 0
  if (lanes.length === 0) lanes.push('default')
  if (everything) {
    if (findChromium() === null) console.log('no Chromium found: the browser lane is left out (npm run test:browser)')
    else lanes.push('browser')
  }
  if (lanes.includes('browser') || everything) await ensureConsole()
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const lane of lanes) {
    if (lanes.length > 1) console.log(`\n── lane ${lane} ──`)
    const counts = await runLane(lane, rest)
    for (const key of Object.keys(total)) total[key] += counts[key]
  }
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

main().catch(endWith)
