import { CliError } from './cli-error.ts'
import { createProgram } from './program.ts'

// The reader may have seen enough: `medley usage events | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const words = process.argv.slice(2)

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  const known = error instanceof CliError
  const { exitCode, code, message } = known ? error : unexpected(error)
  process.exitCode = exitCode
  if (exitCode !== 0 && message !== '' && asksForJson()) {
    process.stderr.write(`${JSON.stringify({ error: { exitCode, message, code } })}\n`)
  } else if (message !== '') {
    process.stderr.write(known ? `medley: ${message}\n` : `medley: ${stackOf(error)}\n`)
  }
}

/** Read from the words themselves, since wrong usage is told before any option is known. */
function asksForJson(): boolean {
  const end = words.indexOf('--')
  return words.slice(0, end === -1 ? undefined : end).includes('--json')
}

function unexpected(error: unknown): CliError {
  return new CliError(1, error instanceof Error ? error.message : String(error))
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
