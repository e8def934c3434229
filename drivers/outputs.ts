import type { ChipDriver, Fact, ParsedOutput } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'

/** Raw text kept for a bug report, in UTF-16 units. */
export const RAW_TEXT_LIMIT = 64 * 1024

/** No real output comes near it; what lies behind is not read, so that a runaway tool costs bounded time. */
const READ_LIMIT = 2 ** 20

/** One kind of output of a vendor's tool. */
export interface OutputReader {
  /** As it would be typed. */
  readonly command: string
  /** Whether a command given by a person means this reader. */
  readonly answersTo: RegExp
  /** Whether the text shows by itself that it is this output. */
  matches(text: string): boolean
  /** `null` where nothing could be read. `command` is what a person typed, or the reader's own. */
  read(text: string, command: string): ReadOutput | null
}

export interface ReadOutput {
  readonly chips?: readonly ChipFacts[]
  readonly facts?: Readonly<Record<string, Fact>>
}

/** The two functions of the port that read a saved output, over a vendor's readers in order of preference. */
export function outputsOf(readers: readonly OutputReader[]): Pick<ChipDriver, 'recognise' | 'parseOutput'> {
  const find = (text: string): OutputReader | null =>
    readers.find((reader) => quietly(() => reader.matches(text))) ?? null
  return {
    recognise: (text) => find(cleanText(text))?.command ?? null,
    parseOutput: (text, command) => {
      const clean = cleanText(text)
      const named = command === undefined ? undefined : readers.find((reader) => reader.answersTo.test(command))
      const reader = named ?? find(clean)
      const found = reader ? quietly(() => reader.read(clean, command ?? reader.command)) : null
      return parsedOutput(text, command ?? reader?.command ?? null, found ?? null)
    },
  }
}

function parsedOutput(text: string, command: string | null, found: ReadOutput | null): ParsedOutput {
  const chips = found?.chips ?? []
  const facts = found?.facts ?? {}
  const empty = chips.length === 0 && Object.keys(facts).length === 0
  return { command, chips, facts, raw: empty ? text.slice(0, RAW_TEXT_LIMIT) : null }
}

/** A reader that trips over a text has not read it: the caller keeps the raw text. */
function quietly<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

/**
 * Of bounded length and without colours, carriage returns, byte order mark and zero bytes. Runs of blanks and of empty
 * lines are cut short: no output means anything by them, and patterns then take time in proportion to the text.
 */
export function cleanText(text: string): string {
  const escapeCode = String.fromCharCode(27)
  const plain = text
    .slice(0, READ_LIMIT)
    .replaceAll(new RegExp(`${escapeCode}\\[[0-9;]{0,16}[A-Za-z]`, 'g'), '')
    .replaceAll(String.fromCharCode(0), '')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\S\n]{200,}/g, ' '.repeat(100))
  const lines = boundLines(plain)
  return lines.filter((line, at) => line.trim() !== '' || lines[at - 1]?.trim() !== '').join('\n')
}

/** Above any line of a table or log. Only JSON and XML have longer ones, and these can be broken. */
const MOST_LINE_CHARACTERS = 1_000

/** Lines of bounded length: a pattern that tries every start of a line then costs bounded time too. */
function boundLines(text: string): readonly string[] {
  const lines = text.split('\n')
  if (lines.every((line) => line.length <= MOST_LINE_CHARACTERS)) return lines
  return broken(text)
    .split('\n')
    .map((line) => line.slice(0, MOST_LINE_CHARACTERS))
}

function broken(text: string): string {
  const start = text.trimStart()[0] ?? ''
  if (start === '<') return text.replaceAll('><', '>\n<')
  if (start !== '{' && start !== '[') return text
  try {
    return JSON.stringify(JSON.parse(text), null, 1)
  } catch {
    // No JSON, or the loose one of some tools: broken where no string can be in the way.
    return text.replaceAll('","', '",\n"').replaceAll('},', '},\n')
  }
}

/** What a driver knows of a chip; all else is unknown. */
export type KnownFacts = Partial<ChipFacts> & Pick<ChipFacts, 'vendor' | 'product'>

/** A chip of which only the given facts are known. Without a uuid one is made from its place. */
export function chipOf(known: KnownFacts): ChipFacts {
  const address = known.pciAddress ?? null
  const chipOnCard = known.chipOnCard ?? 0
  const uuid = known.uuid ?? madeUuid(known.vendor, address, known.index ?? null, chipOnCard)
  return {
    index: null,
    serial: null,
    memoryTotalBytes: null,
    memoryUsedBytes: null,
    utilizationRatio: null,
    temperatureCelsius: null,
    powerWatts: null,
    cardPowerWatts: null,
    health: 'unknown',
    healthReasons: [],
    driverVersion: null,
    firmwareVersion: null,
    numaNode: null,
    eccErrorsUncorrected: null,
    computeUnits: null,
    features: [],
    extra: {},
    simulated: false,
    ...known,
    uuid,
    pciAddress: address,
    chipOnCard,
    cardKey: known.cardKey ?? address ?? uuid,
  }
}

/** Stable as long as the card stays in its slot; recognised by its start, {@link isMadeUuid}. */
export function madeUuid(vendor: string, address: string | null, index: number | null, chipOnCard: number): string {
  const place = address === null ? `index-${index ?? 'unknown'}` : `pci-${address}`
  return chipOnCard === 0 ? `${vendor}-${place}` : `${vendor}-${place}-${chipOnCard}`
}

/** Whether a chip's uuid is no uuid of the vendor's. */
export function isMadeUuid(chip: ChipFacts): boolean {
  return chip.uuid.startsWith(`${chip.vendor}-`)
}

/** Busy share 0..1 of a percentage; `null` for unknown or nonsense. */
export function ratioOf(percent: number | null): number | null {
  return percent === null || percent < 0 ? null : Math.min(1, percent / 100)
}
