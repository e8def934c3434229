import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import type { SavedChip, SavedOutput } from '@medley/drivers'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { bytes, isJson, number, printJson, printTable } from '../output.ts'

interface DriverFlags {
  readonly drivers?: string
}

interface ParseFlags extends DriverFlags {
  readonly vendor: string
  readonly command?: string
}

/** Verbs that need no factory: what a saved output of a vendor's tool says, and whose outputs can be read. */
export function addChipsParse(chips: Command): void {
  chips
    .command('parse')
    .description('Read one saved output of a vendor’s tool, for a bug report; needs no running factory')
    .argument('<file>', 'the saved text; - reads standard input')
    .requiredOption('--vendor <name>', 'whose tool wrote it; see: medley chips vendors')
    .option('--command <line>', 'the command that wrote it, where its text does not show it')
    .option('--drivers <folder>', 'further vendors, one folder each; MEDLEY_DRIVERS when left out')
    .option('--json', 'print the chips as a JSON array')
    .addHelpText('after', '\nExample:\n  medley chips parse --vendor NAME saved-output.txt --json')
    .action(async (file: string, flags: ParseFlags, command: Command) => {
      const { parseSavedOutput } = await import('@medley/drivers')
      const drivers = await driversOf(flags)
      const driver = drivers.find(({ name }) => name === flags.vendor.toLowerCase())
      if (!driver) {
        const names = drivers.map(({ name }) => name).join(', ')
        throw new CliError(2, `There is no vendor ${flags.vendor}. Known are: ${names}`)
      }
      print(parseSavedOutput(driver, await readSaved(file), flags.command), isJson(command))
    })
  chips
    .command('vendors')
    .description('Vendors whose tools can be read')
    .option('--drivers <folder>', 'further vendors, one folder each; MEDLEY_DRIVERS when left out')
    .option('--json', 'print a JSON array')
    .addHelpText('after', '\nExample:\n  medley chips vendors')
    .action(async (flags: DriverFlags, command: Command) => {
      const vendors = (await driversOf(flags)).map((driver) => ({
        name: driver.name,
        layoutVerified: driver.layoutVerified,
        domestic: driver.domestic,
        pciVendorIds: driver.pciVendorIds,
        kubernetesResources: driver.kubernetesResources,
        torchDevice: driver.torchDevice,
        collectiveLibrary: driver.collectiveLibrary,
      }))
      if (isJson(command)) return printJson(vendors)
      printTable(
        ['VENDOR', 'LAYOUT', 'PCI', 'TORCH'],
        vendors.map((vendor) => [
          vendor.name,
          vendor.layoutVerified ? 'verified' : 'layout unverified',
          vendor.pciVendorIds.join(' ') || '—',
          vendor.torchDevice ?? '—',
        ]),
        '',
      )
    })
}

/** Ours and those of the folder, if one is named. @throws CliError when one of them cannot be used */
async function driversOf({ drivers: folder = process.env.MEDLEY_DRIVERS }: DriverFlags) {
  const { createDrivers, loadDrivers } = await import('@medley/drivers')
  if (folder === undefined) return createDrivers()
  const own = createDrivers().map(({ name }) => name)
  const { drivers, failures } = await loadDrivers(resolve(folder), own)
  const [failure] = failures
  if (failure) throw new CliError(2, `The driver in ${join(folder, failure.folder)} cannot be used: ${failure.message}`)
  return createDrivers(drivers)
}

async function readSaved(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin)
  try {
    const saved = await readFile(file)
    // A text saved under Windows is often UTF-16; bytes that are no text at all become replacement characters.
    const encoding = saved[0] === 0xff && saved[1] === 0xfe ? 'utf-16le' : 'utf-8'
    return new TextDecoder(encoding).decode(saved)
  } catch (error) {
    throw new CliError(3, `${file} cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`)
  }
}

function print(output: SavedOutput, asJson: boolean): void {
  const { chips, facts } = output
  if (asJson) printJson(chips.map(inOrder))
  else {
    printTable(
      ['INDEX', 'PRODUCT', 'PCI', 'MEMORY', 'BUSY', 'HEAT', 'POWER', 'HEALTH'],
      chips.map((chip) => [
        number(chip.index),
        chip.product ?? '—',
        chip.pciAddress ?? '—',
        bytes(chip.memoryTotalBytes),
        chip.utilizationRatio === null ? '—' : `${Math.round(chip.utilizationRatio * 100)} %`,
        number(chip.temperatureCelsius, ' °C'),
        number(chip.powerWatts ?? chip.cardPowerWatts, ' W'),
        chip.health,
      ]),
      'This output lists no chips.',
    )
  }
  // Beside the array, so that it stays one: what the text says of no single chip.
  if (Object.keys(facts).length > 0) process.stderr.write(`facts: ${JSON.stringify(facts)}\n`)
  if (output.raw !== null) {
    const seen = output.command === null ? 'no known command wrote it' : `taken for the output of: ${output.command}`
    throw new CliError(1, `Nothing could be read of this text (${seen}). Name the command with --command.`)
  }
}

/** The facts a person looks for first come first. */
function inOrder(chip: SavedChip) {
  const { index, uuid, serial, pciAddress, product, cardKey, chipOnCard, ...rest } = chip
  return { index, uuid, serial, pciAddress, product, cardKey, chipOnCard, ...rest }
}
