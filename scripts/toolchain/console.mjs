/** Builds the web console when its sources are newer than what lies in apps/console/dist. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { StartFailure } from './failure.mjs'
import { say } from './language.mjs'
import { withLock } from './lock.mjs'
import { inRoot, pinnedNode, ROOT } from './paths.mjs'
import { step } from './progress.mjs'

const CONSOLE = inRoot('apps', 'console')
const STAMP = join(CONSOLE, 'dist', '.stamp')
const SKIPPED = new Set(['node_modules', 'dist', 'domain', 'adapters'])

function filesUnder(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesUnder(path)
    return entry.isFile() && !/\.(?:test|e2e)\.tsx?$|\.md$/.test(entry.name) ? [path] : []
  })
}

/** The console's own folder and the workspaces whose types and schemas it shows. */
function sourceFolders() {
  const { dependencies = {} } = JSON.parse(readFileSync(join(CONSOLE, 'package.json'), 'utf8'))
  const shared = Object.keys(dependencies).filter((name) => name.startsWith('@medley/'))
  return [CONSOLE, ...shared.map((name) => realpathSync(inRoot('node_modules', name)))]
}

function sourceDigest() {
  const hash = createHash('sha256')
  const files = [...sourceFolders().flatMap(filesUnder), inRoot('package-lock.json')].sort()
  for (const file of files) hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

const isFresh = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourceDigest()

function viteBuild() {
  return new Promise((resolve, reject) => {
    const vite = inRoot('node_modules', 'vite', 'bin', 'vite.js')
    const args = [vite, 'build', 'apps/console', '--logLevel', 'warn']
    const child = spawn(pinnedNode() ?? process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    const read = (chunk) => {
      log += chunk
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(undefined) : reject(consoleFailure(log))))
  })
}

function consoleFailure(log) {
  const tail = log.trim().split('\n').slice(-20).join('\n')
  return new StartFailure(
    say(`The console could not be built:\n${tail}`, `控制台构建失败:\n${tail}`),
    /ENOSPC/.test(log)
      ? say('Free some disk space and start again.', '请腾出磁盘空间后重新启动。')
      : say(
          'If you changed apps/console, mend it; `git status` shows what differs.',
          '如果改动过 apps/console,请修正;`git status` 可查看差异。',
        ),
  )
}

export async function ensureConsole() {
  if (!existsSync(join(CONSOLE, 'vite.config.ts')) || isFresh()) return
  await withLock(
    (pid) =>
      console.log(
        say(`Another start (process ${pid}) is building; waiting …`, `另一个启动进程(${pid})正在构建,等待中 …`),
      ),
    async () => {
      if (isFresh()) return
      const digest = sourceDigest()
      await step(say('Building the console', '构建控制台'), viteBuild)
      writeFileSync(STAMP, digest)
    },
  )
}
