#!/usr/bin/env node
/** The packed `medley` under whatever Node the reader has: hands over to the Node 24 among its dependencies. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const program = fileURLToPath(new URL('../cli.mjs', import.meta.url))
const args = [program, ...process.argv.slice(2)]

function pinnedNode() {
  const { platform, arch } = process
  const os = platform === 'win32' ? 'win' : platform
  for (const name of [`node-${os}-${arch}`, `node-bin-${os}-${arch}`]) {
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), 'bin', platform === 'win32' ? 'node.exe' : 'node')
    } catch {
      // The other name may be the one of this platform.
    }
  }
  return null
}

const node = Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : pinnedNode()
if (node === null) {
  console.error('✖ Node 24 is not installed beside Medley.\n  → Run `npm ci` in its folder, or start it with Node 24.')
  process.exit(1)
}
if (typeof process.execve === 'function' && process.platform !== 'win32') {
  process.removeAllListeners('warning')
  process.execve(node, [node, ...args], process.env)
}
const child = spawn(node, args, { stdio: 'inherit' })
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) {
  process.on(signal, () => {
    if (!(process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal)
  })
}
child.once('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
