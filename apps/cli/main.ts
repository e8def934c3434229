import { CliError } from './cli-error.ts'
import { createProgram } from './program.ts'

// The reader may have seen enough: `medley usage events | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  if (!(error instanceof CliError)) throw error
  if (error.message !== '') process.stderr.write(`medley: ${error.message}\n`)
  process.exitCode = error.exitCode
}
