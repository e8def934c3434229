import type { Fact } from '@medley/fleet'
import { type BoxTable, parseBoxTable } from '../box-table.ts'
import { findBdf, findCelsius, linesOf } from '../lines.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { parseSmiLog, pick } from '../smi-log.ts'
import { knownFacts } from '../vendor-tool.ts'

const TOOL = 'mx-smi'

/** State words of the tool: only `Available` is one that a chip can be used in. */
function withState(reading: Reading, state: string | null): Reading {
  if (state === null || /^available$/i.test(state)) return { ...reading, extra: { ...reading.extra, state } }
  return {
    ...reading,
    health: 'unusable',
    reasons: [{ code: 'health-reported', params: { tool: TOOL, value: state.slice(0, 200) } }],
    extra: { ...reading.extra, state },
  }
}

/** `GPU#0  MXC550  0000:2b:00.0  Available (UUID: GPU-...)`; a card that cannot be read has a reason instead. */
export function parseList(text: string): Reading[] {
  return linesOf(text).flatMap((line) => {
    const match = /^\s*(?:GPU|Board|Die|Chip)\s?#(\d{1,4})[\s:]+(\S.*)$/i.exec(line)
    if (!match?.[2]) return []
    const rest = match[2]
    const state = /\b(?:not\s+available|un\w*available|available)\b.*$/i.exec(rest)?.[0] ?? null
    const bare = state === null ? rest : rest.slice(0, rest.length - state.length)
    const words = bare.trim().split(/\s{2,}|\s+(?=(?:bus\b|[0-9a-f]{4}:[0-9a-f]{2}:))/i)
    const uuid = textOrNull(/UUID:\s*([^\s)]+)/i.exec(rest)?.[1])
    const reading = readingOf({
      index: countOrNull(match[1]),
      product: textOrNull(words[0]?.trim()),
      pciAddress: normalizePciAddress(findBdf(bare)),
      uuid,
    })
    return [withState(reading, state === null ? null : state.replace(/\s*\(UUID:[^)]*\)/i, '').trim())]
  })
}

export function parseTable(text: string): { readings: Reading[]; facts: Record<string, Fact> } {
  const { readings, banner } = parseBoxTable(text)
  const facts = bannerFacts(text, banner)
  return {
    facts,
    readings: readings.map((reading) =>
      withState(
        {
          ...reading,
          driverVersion: typeof facts.driverVersion === 'string' ? facts.driverVersion : null,
          firmwareVersion: typeof facts.biosVersion === 'string' ? facts.biosVersion : null,
        },
        typeof reading.extra.state === 'string' ? reading.extra.state : null,
      ),
    ),
  }
}

function bannerFacts(text: string, banner: BoxTable['banner']): Record<string, Fact> {
  const of = (...labels: string[]): string | null =>
    textOrNull(labels.map((label) => banner.get(label)).find((value) => value !== undefined))
  return knownFacts({
    toolVersion: /^\s*\w{2}-smi\s+version:\s*([\w.]+)/m.exec(text)?.[1] ?? of('mx-smi', 'ht-smi'),
    driverVersion: of('kernel mode driver version', 'driver version'),
    runtimeVersion: of('maca version', 'hpcc version'),
    biosVersion: of('bios version'),
    attached: countOrNull(/^Attached GPUs\s*:\s*(\d+)/m.exec(text)?.[1]),
  })
}

/** `--show-memory`, `--show-usage`, `--show-temperature`, `--show-board-power`: `GPU#n` blocks of `key : value`. */
export function parseShow(text: string): Reading[] {
  const { blocks } = parseSmiLog(text, /^GPU\s?#\d+\s/)
  return blocks.map(({ title, values }) => {
    const [listed] = parseList(title)
    return readingOf({
      ...listed,
      memoryTotalBytes: bytesOrNull(pick(values, /vis_vram total|vram total|memory total/)?.replace(/Bytes?/i, 'B')),
      memoryUsedBytes: bytesOrNull(pick(values, /vis_vram used|vram used|memory used/)?.replace(/Bytes?/i, 'B')),
      temperatureCelsius:
        findCelsius(pick(values, /hotspot/, /soc|temp/) ?? '') ?? numberOrNull(pick(values, /hotspot/)),
      powerWatts: numberOrNull(pick(values, /(?:^|\/)(?:total|board)(?: power)?$/, /power$/)),
      utilizationRatio: ratioOf(numberOrNull(pick(values, /(?:^|\/)(?:gpu|xcore)(?: util\w*)?$/))),
    })
  })
}
