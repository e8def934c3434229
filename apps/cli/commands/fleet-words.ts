import { chipState } from '@medley/server/fleet-schemas'

export const CHIP_STATE_NAMES = chipState.options

/** Such as `7 healthy, 1 lost`; the sound ones first. */
export function chipCounts(states: Readonly<Record<string, number | undefined>>): string {
  const told = CHIP_STATE_NAMES.toReversed().flatMap((name) => (states[name] ? [`${states[name]} ${name}`] : []))
  return told.length === 0 ? 'none' : told.join(', ')
}

export function keyed(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}

/** One fact a line. */
export function printFacts(facts: Readonly<Record<string, string>>): void {
  const width = Math.max(...Object.keys(facts).map((name) => name.length))
  for (const [name, value] of Object.entries(facts)) process.stdout.write(`${name.padEnd(width)}  ${value}\n`)
}
