import { CliError } from './cli-error.ts'
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync(process.argv)
} catch (error) {
  if (!(error instanceof CliError)) throw error
  if (error.message !== '') process.stderr.write(`medley: ${error.message}\n`)
  process.exitCode = error.exitCode
}
