import type { Command } from 'commander'
import { dataDirectory } from './settings.ts'

/** Options every verb takes. */
export interface CommonOptions {
  readonly json?: true
  readonly data?: string
}

/** Adds `--json`, `--data` and an example to a verb. */
export function common(command: Command, example: string): Command {
  return command
    .enablePositionalOptions()
    .option('--json', 'print JSON of the API’s shape')
    .option('--data <dir>', 'data directory (default: $MEDLEY_DATA or ~/.medley)')
    .addHelpText('after', `\nExample:\n  ${example}`)
}

/** The data directory of a verb: its own option, else the program's. */
export function dataOf(command: Command): string {
  const { data } = command.optsWithGlobals<CommonOptions>()
  return dataDirectory(data, process.env)
}

export function isJson(command: Command): boolean {
  return command.opts<CommonOptions>().json === true
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** A table with a heading; an empty one says what to do instead. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[], whenEmpty: string): void {
  if (rows.length === 0) {
    process.stdout.write(`${whenEmpty}\n`)
    return
  }
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map(displayWidth)),
  )
  for (const row of [headings, ...rows]) {
    const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell)))
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`)
  }
}

export function bytes(value: number | null): string {
  return value === null ? '—' : `${(value / 2 ** 30).toPrecision(3)} GiB`
}

export function number(value: number | null, unit = ''): string {
  return value === null ? '—' : `${value}${unit}`
}

// Chinese characters take two columns of a terminal.
function displayWidth(text: string): number {
  return [...text].reduce(
    (width, character) =>
      width +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(character) ? 2 : 1),
    0,
  )
}
