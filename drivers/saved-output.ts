import type { ChipDriver, ParsedOutput } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { chipsOnBus, parseLspci } from './lspci.ts'
import { cleanText, isMadeUuid } from './outputs.ts'

/** A chip as one output alone tells of it: what a driver had to make up is unknown again. */
export type SavedChip = Omit<ChipFacts, 'uuid' | 'product'> & {
  readonly uuid: string | null
  readonly product: string | null
}

export interface SavedOutput extends Omit<ParsedOutput, 'chips'> {
  readonly chips: readonly SavedChip[]
}

/**
 * Reads one saved output of a vendor's tool, or a listing of the bus. `command` overrides what is seen from the
 * text. Never throws: text that cannot be read comes back as `raw`.
 */
export function parseSavedOutput(driver: ChipDriver, text: string, command?: string): SavedOutput {
  const isBus =
    command === undefined ? driver.recognise(text) === null && parseLspci(cleanText(text)).length > 0 : false
  const parsed: ParsedOutput =
    isBus || /^lspci\b/.test(command ?? '')
      ? {
          command: command ?? 'lspci -Dnn',
          chips: chipsOnBus(cleanText(text), driver.name, driver.pciVendorIds),
          facts: {},
          raw: null,
        }
      : driver.parseOutput(text, command)
  return { ...parsed, chips: parsed.chips.map(savedChip) }
}

function savedChip(chip: ChipFacts): SavedChip {
  return { ...chip, uuid: isMadeUuid(chip) ? null : chip.uuid, product: chip.product === '' ? null : chip.product }
}
