import { Command } from 'commander'
import { CliError } from './cli-error.ts'
import { addAgent } from './commands/agent.ts'
import { addAlerts } from './commands/alerts.ts'
import { addAudit } from './commands/audit.ts'
import { addChat } from './commands/chat.ts'
import { addChips } from './commands/chips.ts'
import { addDoctor } from './commands/doctor.ts'
import { addFleet } from './commands/fleet.ts'
import { addKeys } from './commands/keys.ts'
import { addModels } from './commands/models.ts'
import { addNodes } from './commands/nodes.ts'
import { addStatus } from './commands/status.ts'
import { addUp } from './commands/up.ts'
import { addUsage } from './commands/usage.ts'
import { programVersion } from './settings.ts'

const VERBS = [
  addUp,
  addStatus,
  addDoctor,
  addFleet,
  addNodes,
  addChips,
  addAgent,
  addAlerts,
  addModels,
  addChat,
  addKeys,
  addUsage,
  addAudit,
]

/** The whole command line: `medley <noun> <verb>`. */
export function createProgram(): Command {
  const program = new Command('medley')
    .description('An AI factory: unlike chips under one management, placed, routed and priced by measured scores')
    .version(programVersion(), '--version', 'print the version')
    .option('--data <dir>', 'data directory (default: $MEDLEY_DATA or ~/.medley)')
    // A verb's own --json must not be taken by the noun before it.
    .enablePositionalOptions()
    .configureOutput({ outputError: () => {} })
    .exitOverride((error) => {
      // Help was asked for; everything else is wrong usage.
      if (error.exitCode === 0) throw new CliError(0, '')
      // A noun that stands alone where it needs a verb has just shown its help.
      if (error.code === 'commander.help') throw new CliError(2, '')
      throw new CliError(2, `${error.message.replace(/^error: /, '')} (add --help for the form and an example)`)
    })
  // Nouns are loaded with the program, their work only when called: `up` stays small beside the engines.
  for (const add of VERBS) add(program)
  return program
}
