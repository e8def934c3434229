/** Hands the terminal over to a program under Node 24, so that it is as if it had been started directly. */
import { spawn } from 'node:child_process'
import { StartFailure } from './failure.mjs'
import { say } from './language.mjs'
import { pinnedNode } from './paths.mjs'

/**
 * Replaces this process where Node can (one process less in the tree, signals arrive by themselves); otherwise runs
 * a child, forwards signals to it and ends as it ends.
 *
 * @param {string} script @param {readonly string[]} args
 */
export function becomeNode24(script, args) {
  const node = pinnedNode()
  if (node === null) {
    throw new StartFailure(
      say('Medley is not installed yet.', 'Medley 尚未安装。'),
      say('Run `npm start` in the clone first.', '请先在克隆目录中运行 `npm start`。'),
    )
  }
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.removeAllListeners('warning')
    process.execve(node, [node, script, ...args], process.env)
  }
  const child = spawn(node, [script, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: the child has it already.
      const hasItAlready = process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT')
      if (!hasItAlready) child.kill(signal)
    })
  }
  child.once('error', (error) => {
    console.error(`${node}: ${error.message}`)
    process.exit(1)
  })
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

const isNode24 = () => Number(process.versions.node.split('.')[0]) >= 24

/**
 * For scripts that need Node 24 but may be started by the system's Node: true when this process may go on, false
 * when another one has taken over.
 */
export function runsOnNode24(script) {
  if (isNode24()) return true
  becomeNode24(script, process.argv.slice(2))
  return false
}
