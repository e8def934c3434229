import { parseBoxTable } from '../box-table.ts'
import { linesOf } from '../lines.ts'
import { unlessSilent } from '../listing.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { parseSmiLog, pick } from '../smi-log.ts'

const MEBIBYTE = 2 ** 20

/** `-q`: names under headings, a block for each chip that begins with its address. */
export function parseLog(text: string): Reading[] {
  const log = parseSmiLog(text, /^XPU\s+[0-9a-f]{1,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]:?$/i)
  const driverVersion = textOrNull(pick(log.preamble, 'driver version'))
  return log.blocks.map(({ title, values }) => {
    const find = (...names: readonly (string | RegExp)[]): string | undefined => pick(values, ...names)
    const minor = countOrNull(find('minor number'))
    return unlessSilent(
      readingOf({
        // The log numbers its chips by device file only, which is the index on all hosts seen.
        index: minor,
        uuid: textOrNull(find(/uuid$/)),
        serial: textOrNull(find('serial number')),
        product: textOrNull(find('product name')),
        pciAddress: normalizePciAddress(find('bus id') ?? title.split(/\s+/)[1]),
        memoryTotalBytes: bytesOrNull(find(/^(?:fb )?memory usage\/total$/), MEBIBYTE),
        memoryUsedBytes: bytesOrNull(find(/^(?:fb )?memory usage\/used$/), MEBIBYTE),
        utilizationRatio: ratioOf(numberOrNull(find('utilization/xpu', /^utilization\/(?:gpu|xpu)/))),
        temperatureCelsius: numberOrNull(find(/current temp$/)),
        powerWatts: numberOrNull(find(/power draw$/)),
        driverVersion,
        firmwareVersion: textOrNull(find('all version', /firmware version/)),
        eccErrorsUncorrected: countOrNull(find('volatile/dram uncorrectable', /dram uncorrectable/)),
        linkWidth: countOrNull(find('link width/current')?.replace(/x$/i, '')),
        linkWidthMax: countOrNull(find('link width/max')?.replace(/x$/i, '')),
        extra: {
          minor,
          architecture: textOrNull(find('product architecture')),
          powerLimitWatts: numberOrNull(find(/power limit$/)),
          eccMode: textOrNull(find('ecc mode/current')),
          runtimeVersion: textOrNull(pick(log.preamble, 'xpu-rt version')),
        },
      }),
    )
  })
}

/** The table; three lines a chip, the third for the on-chip memory. */
export function parseTable(text: string): Reading[] {
  const { readings } = parseBoxTable(text)
  const driverVersion = textOrNull(/Driver Version\s*:\s*([^\s|]{1,40})/i.exec(text)?.[1])
  return readings.map((reading) => unlessSilent({ ...reading, driverVersion: reading.driverVersion ?? driverVersion }))
}

/**
 * `-m`: one line of about 32 blank-separated fields a chip, without names; the fields known, counted from 1, are
 * 1 address, 2 index, 5 degrees, 9 watts, 18 and 19 memory in MiB, 20 percent, 22 on the name in parentheses. A line is
 * believed only where the name stands where it should.
 */
export function parseMachineLines(text: string): Reading[] {
  return linesOf(text).flatMap((line) => {
    const fields = line.match(/"[^"]*"|'[^']*'|\S+/g)?.map((field) => field.replace(/^["']|["']$/g, '')) ?? []
    const name = /\(([^()]{1,40})\)/.exec(fields.slice(21).join(' '))?.[1]
    const figures = [4, 8, 17, 18, 19].map((at) => numberOrNull(fields[at]))
    if (fields.length < 22 || name === undefined || figures.some((figure) => figure === null)) return []
    const [celsius, watts, used, total, percent] = figures
    return [
      readingOf({
        pciAddress: normalizePciAddress(fields[0]),
        index: countOrNull(fields[1]),
        product: textOrNull(name),
        temperatureCelsius: celsius ?? null,
        powerWatts: watts ?? null,
        memoryUsedBytes: bytesOrNull(`${used}`, MEBIBYTE),
        memoryTotalBytes: bytesOrNull(`${total}`, MEBIBYTE),
        utilizationRatio: ratioOf(percent ?? null),
      }),
    ]
  })
}
