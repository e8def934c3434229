import { Command } from 'commander'
import { CliError } from './cli-error.ts'
import { addChat } from './commands/chat.ts'
import { addChips } from './commands/chips.ts'
import { addDoctor } from './commands/doctor.ts'
import { addKeys } from './commands/keys.ts'
import { addModels } from './commands/models.ts'
import { addStatus } from './commands/status.ts'
import { addUp } from './commands/up.ts'
import { addUsage } from './commands/usage.ts'

/** The whole command line: `medley <noun> <verb>`. */
export function createProgram(): Command {
  const program = new Command('medley')
    .description('An AI factory: unlike chips under one management, placed, routed and priced by measured scores')
    .option('--data <dir>', 'data directory (default: $MEDLEY_DATA or ~/.medley)')
    .showHelpAfterError('(add --help for the form and an example)')
    .exitOverride((error) => {
      // Help and version were asked for; everything else is wrong usage.
      throw new CliError(error.exitCode === 0 ? 0 : 2, error.exitCode === 0 ? '' : error.message)
    })
  for (const add of [addUp, addStatus, addDoctor, addChips, addModels, addChat, addKeys, addUsage]) add(program)
  return program
}
