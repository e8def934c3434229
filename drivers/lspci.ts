import type { ChipFacts } from '@medley/fleet/protocol'
import { linesOf } from './lines.ts'
import { chipOf } from './outputs.ts'
import { normalizePciAddress } from './parsing.ts'

export interface ListedFunction {
  readonly address: string
  readonly vendorId: string
  readonly deviceId: string
  readonly classCode: string
  /** All ones where the card's configuration space does not answer. */
  readonly revision: string | null
}

const PLAIN = /^(\S+)\s+[^[]*\[([0-9a-f]{4})\]:\s.*\[([0-9a-f]{4}):([0-9a-f]{4})\](?:.*\(rev ([0-9a-f]{2})\))?/i

/** Functions of `lspci -Dnn` and `lspci -nnmm`. */
export function parseLspci(text: string): ListedFunction[] {
  return linesOf(text).flatMap((line) => {
    const plain = PLAIN.exec(line)
    if (plain) return listed(plain[1], plain[2], plain[3], plain[4], plain[5] ?? null)
    const quoted = [...line.matchAll(/"([^"]*)"/g)].map((match) => /\[([0-9a-f]{4})\]$/i.exec(match[1] ?? '')?.[1])
    const revision = /\s-r([0-9a-f]{2})\b/i.exec(line)?.[1] ?? null
    return listed(line.split(' ')[0], quoted[0], quoted[1], quoted[2], revision)
  })
}

function listed(
  place: string | undefined,
  classCode: string | undefined,
  vendorId: string | undefined,
  deviceId: string | undefined,
  revision: string | null,
): ListedFunction[] {
  const address = normalizePciAddress(place)
  if (address === null || !classCode || !vendorId || !deviceId) return []
  const [code, vendor, device] = [classCode, vendorId, deviceId].map((id) => id.toLowerCase())
  return [{ address, classCode: code ?? '', vendorId: vendor ?? '', deviceId: device ?? '', revision }]
}

/** Chips of one vendor on the bus, of whose state a listing of the bus says nothing, unless they do not answer. */
export function chipsOnBus(text: string, vendor: string, vendorIds: readonly string[]): ChipFacts[] {
  return parseLspci(text)
    .filter((func) => vendorIds.includes(func.vendorId) && func.address.endsWith('.0'))
    .filter((func) => /^(?:03|12|0b40|0780)/.test(func.classCode))
    .map((func) => {
      const silent = func.revision?.toLowerCase() === 'ff'
      return chipOf({
        vendor,
        product: '',
        pciAddress: func.address,
        health: silent ? 'unusable' : 'unknown',
        healthReasons: silent ? [{ code: 'not-answering', params: {} }] : [],
        extra: { pciId: `${func.vendorId}:${func.deviceId}` },
      })
    })
}
