import { findBdf, linesOf } from './lines.ts'
import { normalizePciAddress, textOrNull } from './parsing.ts'
import { type Reading, readingOf } from './reading.ts'
import { readMatrix } from './topology.ts'
import { knownFacts, type VendorCommand } from './vendor-tool.ts'

const CHIP = /^\s*[A-Z]{2,4}\s?#?(\d{1,4})\s?:\s+(\S.{0,80}?)\s*(?:\(\s*UUID\s*:\s*([^)\s]{4,80})\s*\))?$/i

/** `-L`: index, name and uuid of each chip in one line. */
export function listingCommand(tool: string): VendorCommand {
  const parse = (text: string): Reading[] =>
    linesOf(text).flatMap((line) => {
      const match = CHIP.exec(line)
      if (!match?.[1] || !line.includes('UUID')) return []
      const pciAddress = normalizePciAddress(findBdf(line))
      // That a chip is listed says that it is there, and nothing of how it is.
      return [
        readingOf({
          index: Number(match[1]),
          product: textOrNull(match[2]),
          uuid: textOrNull(match[3]),
          pciAddress,
          health: 'unknown',
        }),
      ]
    })
  return {
    command: `${tool} -L`,
    answersTo: /\s-L\b|--list-gpus/,
    matches: (text) => parse(text).length > 0,
    read: (text) => ({ readings: parse(text) }),
  }
}

/** `topo -m`. */
export function topologyCommand(tool: string): VendorCommand {
  return {
    command: `${tool} topo -m`,
    answersTo: /\btopo\b/,
    matches: (text) => /^[A-Za-z]{2,6}\d{1,3}\s.*\bX\b/m.test(text) && readMatrix(text) !== null,
    read: (text) => {
      const facts = readMatrix(text)
      return facts && { facts }
    },
  }
}

/** Sentences of a tool that lists nothing. */
export function failureCommand(tool: string, sentences: RegExp): VendorCommand {
  const find = (text: string): string | null => {
    const line = text.split('\n', 200).find((candidate) => sentences.test(candidate.slice(0, 500)))
    return line === undefined ? null : line.trim().slice(0, 200)
  }
  return {
    command: tool,
    answersTo: /$^/,
    matches: (text) => find(text) !== null,
    read: (text) => {
      const error = find(text)
      const missing = error !== null && /(?:command )?not found|no such file/i.test(error)
      return error === null ? null : { facts: knownFacts({ error, toolMissing: missing ? true : null }) }
    },
  }
}

/** A monitor's lines `45C 109.51W 1MiB 32768MiB 0%`, one a chip, which say neither index nor name. */
export function monitorCommand(vendor: string, tool: string): VendorCommand {
  const LINE =
    /^\s*(\d{1,3}(?:\.\d+)?)\s?C\s+(\d{1,5}(?:\.\d+)?)\s?W\s+(\d{1,9})\s?MiB\s+(\d{1,9})\s?MiB\s+(\d{1,3}(?:\.\d+)?)\s?%\s*$/
  return {
    command: `${tool} (monitor lines)`,
    answersTo: /monitor/,
    matches: (text) => linesOf(text).some((line) => LINE.test(line)),
    read: (text) => ({
      readings: linesOf(text).flatMap((line, at) => {
        const match = LINE.exec(line)
        if (!match) return []
        const [celsius, watts, used, total, percent] = match.slice(1).map(Number)
        return [
          readingOf({
            uuid: `${vendor}-line-${at}`,
            temperatureCelsius: celsius ?? null,
            powerWatts: watts ?? null,
            memoryUsedBytes: (used ?? 0) * 2 ** 20,
            memoryTotalBytes: (total ?? 0) * 2 ** 20,
            utilizationRatio: Math.min(1, (percent ?? 0) / 100),
          }),
        ]
      }),
    }),
  }
}

/** A chip that the tool lists without a single reading is there; how it is, nobody knows. */
export function unlessSilent(reading: Reading): Reading {
  const { memoryTotalBytes, utilizationRatio, temperatureCelsius, powerWatts } = reading
  const silent = [memoryTotalBytes, utilizationRatio, temperatureCelsius, powerWatts].every((value) => value === null)
  return silent && reading.health === null ? { ...reading, health: 'unknown' } : reading
}
