/**
 * Brings node_modules to what the lockfile says, and only when it is not already there. Plain JavaScript for the
 * system's Node (>= 18): it runs before Node 24 exists.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { prune } from '../prune.mjs'
import { StartFailure } from './failure.mjs'
import { say } from './language.mjs'
import { withLock } from './lock.mjs'
import { readLock } from './lockfile.mjs'
import { inRoot, isPlatformSupported, pinnedNode, platformId, ROOT } from './paths.mjs'
import { step } from './progress.mjs'

const STAMP = inRoot('node_modules', '.medley-install')
/** Installed size with room for npm's own cache. */
const NEEDED_BYTES = 1.6e9

const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex')

const stampText = () => JSON.stringify({ lock: lockDigest(), platform: platformId })

function isStamped() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampText()
}

/**
 * Whether npm itself (a developer's `npm install`) has already brought the tree to the lockfile: its own record of
 * what lies in node_modules is written last, so an install that was killed does not pass.
 */
function isTreeCurrent() {
  const record = inRoot('node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages ?? {}
  const wanted = Object.entries(readLock().packages)
  return wanted.every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link === true) return true
    const found = installed[path]
    return found === undefined ? entry.optional === true || entry.devOptional === true : found.version === entry.version
  })
}

function needsInstall() {
  if (pinnedNode() === null) return true
  if (isStamped()) return false
  if (!isTreeCurrent()) return true
  writeFileSync(STAMP, stampText())
  return false
}

/** npm as the reader has it: the one that runs us, else the one on the path. */
function npmCommand() {
  const cli = process.env.npm_execpath
  if (cli !== undefined && /\.c?js$/.test(cli) && existsSync(cli)) {
    const node = process.env.npm_node_execpath ?? process.execPath
    // The node inside node_modules is about to be replaced; it must not be the one that replaces it.
    if (!node.startsWith(inRoot('node_modules')) && existsSync(node))
      return { command: node, args: [cli], shell: false }
  }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

const REMEDIES = [
  [
    /ENOSPC|no space left/i,
    () => say('The disk is full.', '磁盘空间不足。'),
    () => say(`Free about 1.6 GB at ${ROOT} and start again.`, `请在 ${ROOT} 腾出约 1.6 GB 空间后重新启动。`),
  ],
  [
    /EACCES|EPERM|EROFS|operation was rejected by your operating system/i,
    () => say('npm may not write here.', '当前用户无权在此写入。'),
    () =>
      say(
        `Make ${ROOT} (and npm's cache, ~/.npm) writable for this user, or clone into your own home, and start again.`,
        `请让当前用户可写 ${ROOT}(以及 npm 缓存 ~/.npm),或克隆到自己的主目录,再重新启动。`,
      ),
  ],
  [
    /EINTEGRITY|sha512|integrity/i,
    () => say('A package is not the one the lockfile names.', '下载的软件包与锁定文件不符。'),
    () =>
      say(
        'Run `npm cache verify` and start again; if it stays, your mirror alters packages: use another one.',
        '请运行 `npm cache verify` 后重试;若仍失败,说明镜像改动了软件包,请换一个镜像。',
      ),
  ],
  [
    /EUSAGE|npm ci can only install|in sync/i,
    () => say('package.json and package-lock.json disagree.', 'package.json 与 package-lock.json 不一致。'),
    () =>
      say(
        'Restore both with `git checkout package.json package-lock.json`, or run `npm install` if the change is yours.',
        '请用 `git checkout package.json package-lock.json` 还原;如果是您自己的改动,请运行 `npm install`。',
      ),
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network|E50\d|socket|proxy|ERR_SOCKET|E40[13]|CERT|certificate/i,
    () => say('The package registry cannot be reached.', '无法访问软件包仓库。'),
    () =>
      say(
        'Check the network, or set a proxy (`npm config set https-proxy URL`) or a mirror (`npm config set registry URL`), and start again. Without a network: run `npm start` once on a machine of the same kind and copy the folder.',
        '请检查网络,或设置代理(`npm config set https-proxy URL`)或镜像(`npm config set registry URL`)后重新启动。离线环境:先在同类机器上运行一次 `npm start`,再复制整个目录。',
      ),
  ],
  [
    /ENOENT.*npm|npm: not found|is not recognized/i,
    () => say('npm was not found.', '未找到 npm。'),
    () => say('Install Node.js 18 or newer with npm 10 or newer.', '请安装 Node.js 18 及以上、npm 10 及以上版本。'),
  ],
]

/** Turns npm's last words into what happened and what to do. */
export function explainInstallFailure(log) {
  const known = REMEDIES.find(([pattern]) => pattern.test(log))
  // npm ends a refusal with a page of its own usage.
  const words = log.split(/^npm error\s+Clean install a project/m)[0] ?? log
  const tail = words.trim().split('\n').slice(-12).join('\n')
  if (known === undefined) {
    return new StartFailure(
      say(`npm ci failed:\n${tail}`, `npm ci 失败:\n${tail}`),
      say('Read the lines above; `npm ci` alone shows all of it.', '请查看上面的输出;单独运行 `npm ci` 可看到全部。'),
    )
  }
  return new StartFailure(`${known[1]()}\n${tail}`, known[2]())
}

/** Folders npm will fill here: of packages without a platform, or of this one. */
function expectedFolders() {
  const fits = (list, value) => list === undefined || [list].flat().includes(value)
  const wanted = ([path, { link, os, cpu, libc }]) =>
    path.includes('node_modules/') &&
    link !== true &&
    fits(os, process.platform) &&
    fits(cpu, process.arch) &&
    (libc === undefined || fits(libc, 'glibc'))
  return Object.entries(readLock().packages)
    .filter(wanted)
    .map(([path]) => inRoot(path, 'package.json'))
}

const NPM_FLAGS = [
  'ci',
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  // The packages name Node 24, which is among them; the system's Node only unpacks.
  '--loglevel=error',
]

function runNpmCi(note) {
  const npm = npmCommand()
  const folders = expectedFolders()
  // npm tells a non-terminal nothing while it works, so its progress is read from the disk.
  const progress = setInterval(() => {
    const here = folders.filter((path) => existsSync(path)).length
    note(say(`${here} of ${folders.length} packages`, `${here}/${folders.length} 个软件包`))
  }, 1000)
  return new Promise((resolve, reject) => {
    let log = ''
    const child = spawn(npm.command, [...npm.args, ...NPM_FLAGS], {
      cwd: ROOT,
      shell: npm.shell,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: '' },
    })
    const read = (chunk) => {
      log += chunk
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    child.once('error', (error) => reject(explainInstallFailure(`${error.code} npm: ${error.message}`)))
    child.once('close', (code) => {
      if (code === 0) {
        note(say(`${folders.length} packages`, `${folders.length} 个软件包`))
        resolve(undefined)
      } else reject(explainInstallFailure(log))
    })
  }).finally(() => clearInterval(progress))
}

function assertRoom() {
  const { bavail, bsize } = statfsSync(ROOT)
  const free = bavail * bsize
  if (free < NEEDED_BYTES) throw explainInstallFailure(`ENOSPC: ${Math.round(free / 1e6)} MB free`)
}

function assertPlatform() {
  if (isPlatformSupported) return
  throw new StartFailure(
    say(`There is no Node 24 package for ${platformId}.`, `没有适用于 ${platformId} 的 Node 24 软件包。`),
    say(
      'Medley runs on Linux (x64, arm64), macOS (x64, arm64) and Windows (x64).',
      'Medley 可运行于 Linux(x64、arm64)、macOS(x64、arm64)与 Windows(x64)。',
    ),
  )
}

async function install() {
  assertPlatform()
  assertRoom()
  rmSync(STAMP, { force: true })
  await step(say('Installing packages from the lockfile', '按锁定文件安装软件包'), runNpmCi)
  if (pinnedNode() === null) {
    throw new StartFailure(
      say(`npm did not bring Node 24 for ${platformId}.`, `npm 未能安装适用于 ${platformId} 的 Node 24。`),
      say(
        'Optional packages seem to be switched off: `npm config delete omit`, then start again.',
        '可能关闭了可选依赖:请运行 `npm config delete omit` 后重新启动。',
      ),
    )
  }
  await step(say("Removing other platforms' binaries", '移除其他平台的二进制文件'), async (note) => {
    const { removedBytes } = prune()
    note(`${Math.round(removedBytes / 1e6)} MB`)
  })
  // Last: whatever is killed before this line is done again.
  writeFileSync(STAMP, stampText())
}

/** Installs when needed; waits for another process that is at it. */
export async function ensureInstalled() {
  if (!needsInstall()) return
  await withLock(
    (pid) =>
      console.log(
        say(`Another start (process ${pid}) is installing; waiting …`, `另一个启动进程(${pid})正在安装,等待中 …`),
      ),
    async () => {
      if (needsInstall()) await install()
    },
  ).catch((error) => {
    throw ['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(error?.code)
      ? explainInstallFailure(`${error.code} ${error.message}`)
      : error
  })
}
