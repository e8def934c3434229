import type { ChipFacts } from '@medley/fleet/protocol'
import { detectorCommands } from '../detector-json.ts'
import { linesOf } from '../lines.ts'
import { topologyCommand } from '../listing.ts'
import { madeUuid, type OutputReader, outputsOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, textOrNull } from '../parsing.ts'
import { looksLikeQuery, parseQueryCsv } from '../query-csv.ts'
import { chipOfReading, type Reading, readingOf } from '../reading.ts'
import { savedReader } from '../vendor-tool.ts'
import { chipFromRow } from './chip.ts'
import { parseXml, type Row } from './parse.ts'
import { readQuery } from './queries.ts'

const ADDRESS = /(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/i

/** The same field under its other names. */
const ALIASES: Readonly<Record<string, string>> = {
  gpu_bus_id: 'pci.bus_id',
  gpu_serial: 'serial',
  gpu_uuid: 'uuid',
  gpu_name: 'name',
}

function chipOfCells(cells: Row, driverVersion: string | null = null): ChipFacts {
  const row = new Map([...cells].map(([name, value]) => [ALIASES[name] ?? name, value]))
  const address = normalizePciAddress(row.get('pci.bus_id'))
  const uuid = textOrNull(row.get('uuid')) ?? madeUuid('nvidia', address, countOrNull(row.get('index')), 0)
  // A lost card may keep its row with these words in its cells.
  const dead = [...row.values()].some((cell) => /gpu is lost|unknown error|^err!$/i.test(cell))
  const chip = {
    ...chipFromRow(row, uuid, address, null),
    product: textOrNull(row.get('name')) ?? '',
    memoryTotalBytes: bytesOrNull(row.get('memory.total'), 2 ** 20),
  }
  const known = { ...chip, driverVersion: chip.driverVersion ?? driverVersion }
  return dead
    ? {
        ...known,
        health: 'lost',
        healthReasons: [{ code: 'tool-failed', params: { tool: 'nvidia-smi', message: 'GPU is lost' } }],
      }
    : known
}

const PRODUCT = /nvidia|geforce|quadro|tesla|\b(?:RTX|GTX|[ABHLTV]\d{2,3})\b/i

/** A saved answer of which nobody knows the fields: cells by their shapes. */
function readUnnamed(text: string): Reading[] {
  const readings = parseQueryCsv(text, PRODUCT)
  return readings.length > 0 ? readings : linesOf(text).flatMap(readIdentity)
}

/** What is unmistakable in a row of bare numbers: uuid or address, name, versions. */
function readIdentity(line: string): Reading[] {
  const cells = line.split(',').map((cell) => cell.trim())
  const uuid = cells.find((cell) => /^(?:GPU|MIG)-[0-9a-f]{8}-/i.test(cell)) ?? null
  const pciAddress = normalizePciAddress(cells.find((cell) => normalizePciAddress(cell) !== null))
  if (cells.length < 3 || (uuid === null && pciAddress === null)) return []
  const find = (shape: RegExp): string | null => cells.find((cell) => cell !== uuid && shape.test(cell)) ?? null
  const dead = find(/gpu is lost|unknown error|^err!$/i)
  return [
    readingOf({
      uuid,
      pciAddress,
      index: pciAddress !== null && /^\d{1,3}$/.test(cells[0] ?? '') ? countOrNull(cells[0]) : null,
      product: find(PRODUCT),
      driverVersion: find(/^\d{3}\.\d{3}(?:\.\d+)?$|^\d{3}\.\d{2}\.\d{2}$/),
      firmwareVersion: find(/^[0-9A-F]{2}(?:\.[0-9A-F]{2}){4}$/),
      health: dead === null ? 'unknown' : 'lost',
      reasons: dead === null ? [] : [{ code: 'health-reported', params: { tool: 'nvidia-smi', value: dead } }],
    }),
  ]
}

const query: OutputReader = {
  command: 'nvidia-smi --query-gpu',
  answersTo: /--query-gpu/,
  matches: (text) =>
    !/[|<{]/.test(text) && (readQuery(text, '').length > 0 || looksLikeQuery(text) || readUnnamed(text).length > 0),
  read: (text, command) => {
    const rows = readQuery(text, command)
    const chips =
      rows.length > 0
        ? rows.map((row) => chipOfCells(row))
        : readUnnamed(text).map((reading) => chipOfReading('nvidia', '', reading))
    return { chips, facts: complaints(text) }
  },
}

/** A device's block without those of its slices. */
function outside(block: string): string {
  const parts = block.split('<mig_device>')
  return parts.map((part, at) => (at === 0 ? part : (part.split('</mig_device>')[1] ?? ''))).join('')
}

const xml: OutputReader = {
  command: 'nvidia-smi -q -x',
  answersTo: /\s-x\b|--xml/,
  matches: (text) => text.includes('<nvidia_smi_log') || /<gpu\s+id="/.test(text),
  read: (text) => {
    const driver = textOrNull(/<driver_version>([^<]{1,40})</.exec(text)?.[1])
    const blocks = text.split(/<gpu\s+id="/).slice(1)
    return {
      chips: parseXml(text).map((gpu, index) => {
        const cell = (name: string): string =>
          new RegExp(`<${name}>([^<]{0,80})<`).exec(outside(blocks[index] ?? ''))?.[1] ?? ''
        const named = [
          ['uuid', cell('uuid')],
          ['name', cell('product_name')],
          ['serial', cell('serial')],
          ['temperature.gpu', cell('gpu_temp')],
          ['utilization.gpu', cell('gpu_util')],
          ['power.draw', cell('power_draw') || cell('instant_power_draw')],
          ['vbios_version', cell('vbios_version')],
          ['pci.bus_id', gpu.pciAddress ?? ''],
        ] as const
        const chip = chipOfCells(new Map(named), driver)
        return {
          ...chip,
          memoryTotalBytes: gpu.memoryTotalBytes,
          memoryUsedBytes: gpu.memoryUsedBytes,
          extra: { ...chip.extra, migMode: gpu.migMode, migDevices: gpu.migDevices, minor: gpu.minor },
        }
      }),
      facts: driver === null ? {} : { driverVersion: driver },
    }
  },
}

const table: OutputReader = {
  command: 'nvidia-smi',
  answersTo: /nvidia-smi\s*$/,
  matches: (text) =>
    /\|\s*NVIDIA-SMI\s/.test(text) || /^\|\s*\d+\s+.+\|\s*[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.\d\s/im.test(text),
  read: (text) => {
    const driver = textOrNull(/(?:Driver|KMD) Version:\s*([\w.]+)/.exec(text)?.[1])
    const lines = text.split('\n')
    const chips = lines.flatMap((line, at) => {
      const cells = line.split('|').map((cell) => cell.trim())
      const identity = /^(\d{1,4})\s+(.+?)(?:\s{2,}(?:On|Off|N\/A))?$/.exec(cells[1] ?? '')
      const address = ADDRESS.exec(cells[2] ?? '')?.[0]
      return identity?.[1] && address
        ? [
            chipOfCells(
              tableCells(identity[1], identity[2] ?? '', address, `${lines[at]}${lines[at + 1] ?? ''}`),
              driver,
            ),
          ]
        : []
    })
    return { chips, facts: { ...(driver === null ? {} : { driverVersion: driver }), ...complaints(text) } }
  },
}

function tableCells(index: string, name: string, address: string, lines: string): Row {
  const first = (pattern: RegExp): string => pattern.exec(lines)?.[1] ?? ''
  return new Map([
    ['index', index],
    ['name', name.replace(/\s+(?:On|Off)$/, '')],
    ['pci.bus_id', address],
    ['memory.used', first(/(\d+MiB)\s*\//)],
    ['memory.total', first(/\/\s*(\d+MiB)/)],
    ['utilization.gpu', first(/(\d+)%\s+[A-Z]/)],
    ['temperature.gpu', first(/\s(\d+)C\s/)],
    ['power.draw', first(/(\d+W)\s*\//)],
    ['power.limit', first(/\/\s*(\d+W)/)],
    ['state', /ERR!|GPU is lost/.test(lines) ? 'ERR!' : ''],
  ])
}

/** Sentences instead of chips. */
function complaints(text: string): Record<string, string | string[]> {
  const lost = text.split('\n').filter((line) => /unable to determine the device handle/i.test(line))
  const addresses = lost.flatMap((line) => normalizePciAddress(ADDRESS.exec(line)?.[0]) ?? [])
  const error =
    /^.*(?:No devices were found|couldn't communicate with the NVIDIA driver|not found|Unknown Error$).*$/im.exec(
      text,
    )?.[0]
  return {
    ...(addresses.length > 0 ? { lostAddresses: addresses } : {}),
    ...(error ? { error: error.trim().slice(0, 200) } : {}),
  }
}

const sentence: OutputReader = {
  command: 'nvidia-smi',
  answersTo: /nvidia-smi/,
  matches: (text) => Object.keys(complaints(text)).length > 0,
  read: (text) => ({ facts: complaints(text) }),
}

export const nvidiaOutputs = outputsOf([
  xml,
  table,
  ...detectorCommands('nvidia').map((command) => savedReader('nvidia', command)),
  savedReader('nvidia', topologyCommand('nvidia-smi')),
  query,
  sentence,
])
