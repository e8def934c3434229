import type { ChipDriver, Fact, ToolOutcome } from '@medley/fleet'
import { cleanText, type OutputReader, outputsOf } from './outputs.ts'
import { chipOfReading, joinReadings, numberCards, type Reading } from './reading.ts'
import { createToolReading, type ToolSpec } from './tool-reading.ts'

export interface CommandOutput {
  readonly readings?: readonly Reading[]
  readonly facts?: Readonly<Record<string, Fact>>
}

/** One command of a vendor's tool, and how its output is read. */
export interface VendorCommand extends Omit<OutputReader, 'read'> {
  /** Arguments with which the agent runs it; absent for outputs that are only read from saved files. */
  readonly args?: readonly string[]
  /** Another program than the vendor's main one. */
  readonly candidates?: readonly string[]
  /** Run only when the commands before it listed nothing. */
  readonly fallback?: boolean
  read(text: string, command: string): CommandOutput | null
}

export interface VendorTool extends Omit<ToolSpec, 'poll'> {
  /** In order of preference: what an earlier command says is not overruled by a later one. */
  readonly commands: readonly VendorCommand[]
  /** Arguments with which the tool prints its topology. */
  readonly topologyArgs?: readonly string[]
}

/**
 * Reading of chips and of saved outputs for a vendor whose tool is asked by several commands: each gives readings,
 * joined by uuid, address or index. Stateful through {@link createToolReading}: one per agent.
 */
export function createVendorTool(
  tool: VendorTool,
): Pick<ChipDriver, 'read' | 'recognise' | 'parseOutput' | 'topology'> {
  return {
    ...(tool.topologyArgs ? { topology: { candidates: tool.candidates, args: tool.topologyArgs } } : {}),
    ...outputsOf(tool.commands.map((command) => savedReader(tool.vendor, command))),
    read: createToolReading({
      ...tool,
      poll: async (ask) => {
        let answer: ToolOutcome = { kind: 'missing' }
        const read: (readonly Reading[])[] = []
        for (const command of tool.commands) {
          if (command.args === undefined || (command.fallback && read.flat().length > 0)) continue
          const outcome = await ask(command.args, command.candidates)
          // The first answer there is says why no chip was found.
          if (answer.kind === 'missing') answer = outcome
          // A tool that hangs once is not asked a second time in the same round.
          if (outcome.kind === 'timeout') break
          if (outcome.kind === 'output') {
            const typed = [tool.tool, ...command.args].join(' ')
            read.push(readSafely(command, outcome.stdout, typed)?.readings ?? [])
          }
        }
        const readings = numberCards(joinReadings(read))
        return { answer, chips: readings.map((reading) => chipOfReading(tool.vendor, tool.productOf(''), reading)) }
      },
    }),
  }
}

/** A vendor's command as a reader of saved outputs. */
export function savedReader(vendor: string, command: VendorCommand): OutputReader {
  return {
    ...command,
    read: (text, typed) => {
      const found = command.read(text, typed)
      if (found === null) return null
      // A product that this output does not name stays unnamed: it is read alone.
      const chips = numberCards(found.readings ?? []).map((reading) => chipOfReading(vendor, '', reading))
      return { chips, facts: found.facts ?? {} }
    },
  }
}

function readSafely(command: VendorCommand, text: string, typed: string): CommandOutput | null {
  try {
    return command.read(cleanText(text), typed)
  } catch {
    // What cannot be read is no chip; the round reports it with the raw text.
    return null
  }
}

/** Facts without those that are unknown. */
export function knownFacts(facts: Readonly<Record<string, Fact | undefined>>): Record<string, Fact> {
  return Object.fromEntries(
    Object.entries(facts).filter((entry): entry is [string, Fact] => entry[1] !== null && entry[1] !== undefined),
  )
}
