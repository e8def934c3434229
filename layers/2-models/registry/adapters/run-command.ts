import { spawn } from 'node:child_process'
import type { RunCommand } from '../ports.ts'

const KEPT_CHARACTERS = 4000

export const runCommand: RunCommand = (command, args, { env, signal }) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...env }, signal, shell: false, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS)
    })
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
