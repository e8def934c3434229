/** `npm run bench [-- --quick]`: every bench in turn; ends with the worst of their exit codes. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = new URL('.', import.meta.url)
const mains = readdirSync(here, { recursive: true, encoding: 'utf8' }).filter((path) => /^[^/]+\/main\.ts$/.test(path))

const codes: number[] = []
for (const main of mains.sort()) {
  console.log(`\n${main.replace('/main.ts', '')}`)
  codes.push(await run(fileURLToPath(new URL(main, here))))
}
// A bar that failed says more than an anchor that is missing.
process.exitCode = codes.includes(1) ? 1 : Math.max(0, ...codes)

function run(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}
