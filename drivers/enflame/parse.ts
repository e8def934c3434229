import type { Fact } from '@medley/fleet'
import { parseBoxTable } from '../box-table.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import type { HealthReason } from '../reasons.ts'
import { parseSmiLog, pick } from '../smi-log.ts'
import { knownFacts } from '../vendor-tool.ts'

const TOOL = 'efsmi'
const BLOCK = /^DEV ID:?\s+\d{1,4}$/i

/** `efsmi -q`: indented blocks `DEV ID n`, whose labels changed several times. */
export function parseLog(text: string): Reading[] {
  return parseSmiLog(text, BLOCK).blocks.map(({ title, values }) => {
    const reasons = complaints(values)
    const broken = /^false$/i.test(pick(values, 'device info/health', 'health') ?? '')
    const place = ['domain', 'bus', 'dev', 'func'].map((key) => pick(values, `pcie info/${key}`, key))
    return readingOf({
      index: countOrNull(/\d+$/.exec(title)?.[0]),
      product: textOrNull(pick(values, 'dev name', 'device name')),
      uuid: textOrNull(pick(values, 'dev uuid', /uuid/)),
      serial: textOrNull(pick(values, 'dev sn', /serial|\bsn$/)),
      pciAddress: normalizePciAddress(`${place[0] ?? '0000'}:${place[1]}:${place[2]}.${place[3] ?? '0'}`),
      driverVersion: textOrNull(pick(values, 'driver info/ver', /driver.*ver/)),
      firmwareVersion: textOrNull(pick(values, /f(?:irm)?w(?:are)?.*ver/)),
      memoryTotalBytes: bytesOrNull(pick(values, 'total size', 'mem size', /mem.*total/)),
      memoryUsedBytes: bytesOrNull(pick(values, 'used size', 'mem usage', /mem.*used/)),
      utilizationRatio: ratioOf(numberOrNull(pick(values, 'gcu usage', /(?:gcu|device).*(?:usage|util)/))),
      temperatureCelsius: numberOrNull(pick(values, 'gcu temp', 'temperature info/gcu temp', /temp$/)),
      powerWatts: numberOrNull(pick(values, 'cur power', /power.*(?:cur|usage|draw)/)),
      eccErrorsUncorrected: countOrNull(pick(values, 'rma info/total dbe', 'rma info/dbe', /(?:^|\/)(?:total )?dbe$/)),
      linkWidth: lanes(pick(values, 'cur link width')),
      linkWidthMax: lanes(pick(values, 'max link width')),
      health: broken ? 'unusable' : null,
      reasons,
      extra: {
        powerLimitWatts: numberOrNull(pick(values, 'power capa', /power.*cap/)),
        memoryReservedBytes: bytesOrNull(pick(values, 'reserved size')),
        eccMode: textOrNull(pick(values, 'ecc mode/current')),
        partNumber: textOrNull(pick(values, 'dev pn')),
        errorRecords: countOrNull(pick(values, 'total error count')),
        powerLevel: textOrNull(pick(values, 'dpm level', 'lpm level')),
      },
    })
  })
}

function lanes(text: string | undefined): number | null {
  return countOrNull(text?.replace(/^x/i, ''))
}

function complaints(values: ReadonlyMap<string, string>): HealthReason[] {
  const found: HealthReason[] = []
  const say = (value: string) => found.push({ code: 'health-reported', params: { tool: TOOL, value } })
  const health = pick(values, 'device info/health', 'health')
  if (health !== undefined && textOrNull(health) !== null && !/^(?:true|ok|good|normal|healthy)$/i.test(health)) {
    say(`Health ${health}`.slice(0, 80))
  }
  if (/^true$/i.test(pick(values, 'rma info/flags') ?? '')) say('RMA')
  const cable = textOrNull(pick(values, 'power cable/status'))
  if (cable !== null && !/^normal$/i.test(cable)) say(`Power cable ${cable}`.slice(0, 80))
  return found
}

export function parseTable(text: string): { readings: Reading[]; facts: Record<string, Fact> } {
  const { readings } = parseBoxTable(text)
  const driverVersion = /Driver Ver(?:sion)?:?\s+V?([\w.]+)/i.exec(text)?.[1] ?? null
  const toolVersion = /EFSMI:?\s+V?([\w.]+)/i.exec(text)?.[1] ?? null
  return {
    readings: readings.map((reading) => ({ ...reading, driverVersion })),
    facts: knownFacts({ driverVersion, toolVersion }),
  }
}

/** `0  S60 ...` lines of `efsmi -L`, as far as public scripts tell. */
export function isLog(text: string): boolean {
  return text.split('\n').some((line) => BLOCK.test(line.trim()))
}
