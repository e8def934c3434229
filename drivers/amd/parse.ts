import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { linesOf } from '../lines.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { parseSmiLog, pick } from '../smi-log.ts'

/** `{"card0": {...}, "system": {...}}` of `rocm-smi --json`; names of values differ by version, so do their units. */
export function parseRocmJson(text: string): Reading[] | null {
  const document = parseLooseJson(text)
  if (!isRecord(document)) return null
  const cards = Object.entries(document).filter(([name, card]) => /^card\d+$/i.test(name) && isRecord(card))
  if (cards.length === 0) return null
  const driverVersion = textOrNull(pick(flatten(document.system), /driver version/))
  return cards.map(([name, card]) => {
    const values = flatten(card)
    const sensor = (place: string): number | null =>
      numberOrNull(pick(values, new RegExp(`temperature.*\\(sensor ${place}\\)`)))
    return readingOf({
      index: countOrNull(name.slice('card'.length)),
      uuid: textOrNull(pick(values, 'unique id')),
      serial: textOrNull(pick(values, 'serial number')),
      pciAddress: normalizePciAddress(pick(values, 'pci bus')),
      product: [pick(values, 'device name'), pick(values, 'card series')].map(textOrNull).find(Boolean) ?? null,
      driverVersion,
      firmwareVersion: textOrNull(pick(values, 'vbios version')),
      memoryTotalBytes: bytesOrNull(pick(values, /^vram total memory/), unitOf(values, /^vram total memory/)),
      memoryUsedBytes: bytesOrNull(pick(values, /^vram total used memory/), unitOf(values, /^vram total used/)),
      utilizationRatio: ratioOf(numberOrNull(pick(values, /^gpu use/))),
      // Accelerators without an edge sensor print only the junction.
      temperatureCelsius: sensor('edge') ?? sensor('junction'),
      powerWatts: numberOrNull(pick(values, /(?:average|current).*power \(w\)/)),
      numaNode: node(pick(values, /numa node$/)),
      features: textOrNull(pick(values, 'gfx version')) === null ? [] : [pick(values, 'gfx version') ?? ''],
      extra: {
        powerLimitWatts: numberOrNull(pick(values, /max.*power \(w\)/)),
        temperatureJunctionCelsius: sensor('junction'),
        temperatureMemoryCelsius: sensor('memory'),
        sku: textOrNull(pick(values, 'card sku')),
        deviceId: textOrNull(pick(values, 'device id')),
      },
    })
  })
}

/** The unit stands in the name: `VRAM Total Memory (B)`, `(MiB)`. */
function unitOf(values: ReadonlyMap<string, string>, name: RegExp): number {
  const key = [...values.keys()].find((candidate) => name.test(candidate)) ?? ''
  return /\(mi?b\)/i.test(key) ? 2 ** 20 : 1
}

function node(text: string | undefined): number | null {
  const value = numberOrNull(text)
  return value === null || value < 0 ? null : value
}

/** `amd-smi list|static|metric|monitor --json`: an array of `{gpu: n, ...}`, newer versions wrap it once more. */
export function parseAmdSmiJson(text: string): Reading[] | null {
  const document = parseLooseJson(text)
  const records = Array.isArray(document) ? document : isRecord(document) ? document.gpu_data : null
  if (!Array.isArray(records)) return null
  const gpus = records.filter((record) => isRecord(record) && 'gpu' in record)
  return gpus.length === 0 ? null : gpus.map(readGpu)
}

function readGpu(record: unknown): Reading {
  const values = flatten(record)
  const heat = (place: string): number | null => numberOrNull(pick(values, new RegExp(`temperature\\.${place}$`)))
  const gfx = textOrNull(pick(values, 'asic.target_graphics_version'))
  return readingOf({
    index: countOrNull(pick(values, 'gpu')),
    uuid: textOrNull(pick(values, /(?:^|\.)uuid$/)),
    serial: textOrNull(pick(values, 'board.product_serial', 'asic.asic_serial')),
    pciAddress: normalizePciAddress(pick(values, /(?:^|\.)bdf$/)),
    product: textOrNull(pick(values, 'asic.market_name', 'board.product_name')),
    driverVersion: textOrNull(pick(values, 'driver.version', 'driver.driver_version')),
    firmwareVersion: textOrNull(pick(values, 'vbios.version')),
    memoryTotalBytes: bytesOrNull(pick(values, /total_vram$|vram_total$|vram\.(?:vram_)?size$/), 2 ** 20),
    memoryUsedBytes: bytesOrNull(pick(values, /used_vram$|vram_used$/), 2 ** 20),
    utilizationRatio: ratioOf(numberOrNull(pick(values, /gfx_activity$/, /^gfx$/, /gfx_util$/))),
    temperatureCelsius: heat('edge') ?? heat('hotspot') ?? numberOrNull(pick(values, /^hotspot_temperature$/)),
    powerWatts: numberOrNull(pick(values, /socket_power$/, /power_usage$/, /average_socket_power$/)),
    numaNode: node(pick(values, 'numa.node')),
    eccErrorsUncorrected: countOrNull(pick(values, /total_uncorrectable_count$/)),
    computeUnits: countOrNull(pick(values, 'asic.num_compute_units')),
    linkWidth: countOrNull(pick(values, /^pcie\.width$/)),
    linkWidthMax: countOrNull(pick(values, /max_pcie_width$/)),
    features: gfx === null ? [] : [gfx],
    extra: { powerLimitWatts: numberOrNull(pick(values, /max_power(?:_limit)?$/, /power_limit$/)) },
  })
}

/** `rocminfo`: the agents that are GPUs. Its numbers count processors too, so none of them is an index. */
export function parseRocminfo(text: string): Reading[] {
  const { blocks } = parseSmiLog(text, /^Agent \d+$/)
  const driverVersion = /^ROCk module version (\S+) is loaded/m.exec(text)?.[1] ?? null
  return blocks.flatMap(({ values }) => {
    if (pick(values, 'device type') !== 'GPU') return []
    const name = textOrNull(pick(values, 'name'))
    return [
      readingOf({
        uuid: textOrNull(pick(values, 'uuid')),
        product: textOrNull(pick(values, 'marketing name')),
        pciAddress: addressOf(countOrNull(pick(values, 'bdfid'))),
        driverVersion,
        computeUnits: countOrNull(pick(values, 'compute unit')),
        // The first pool is the device's own memory; its "KB" are KiB.
        memoryTotalBytes: bytesOrNull(pick(values, 'pool 1/size')?.replace(/\(.*?\)/, '')),
        features: name?.startsWith('gfx') ? [name] : [],
      }),
    ]
  })
}

/** Bus, device and function in one number, as the runtime counts them; its domain is printed elsewhere. */
function addressOf(bdfid: number | null): string | null {
  if (bdfid === null) return null
  const hex = (value: number): string => value.toString(16).padStart(2, '0')
  return normalizePciAddress(`${hex((bdfid >> 8) & 0xff)}:${hex((bdfid >> 3) & 0x1f)}.${bdfid & 7}`)
}

/** The short table of `rocm-smi`: one line a device, columns known by their heading. */
export function parseConcise(text: string): Reading[] {
  const lines = linesOf(text)
  const head = lines.findIndex((line) => /^(?:Device|GPU)\s.*(?:VRAM%|GPU%)/.test(line.trim()))
  if (head < 0) return []
  return lines.slice(head + 1).flatMap((line) => {
    const cells = line.trim().split(/\s{2,}/)
    if (!/^\d{1,3}$/.test(cells[0] ?? '') || cells.length < 4) return []
    const shares = cells.filter((cell) => /^\d{1,3}%$/.test(cell))
    return [
      readingOf({
        index: countOrNull(cells[0]),
        temperatureCelsius: numberOrNull(cells.find((cell) => /^\d+(?:\.\d+)?°?C$/i.test(cell))),
        powerWatts: numberOrNull(cells.find((cell) => /^\d+(?:\.\d+)?W$/i.test(cell))),
        // The last share is the chip's, the one before it the memory's and the first may be the fan's.
        utilizationRatio: ratioOf(numberOrNull(shares.at(-1))),
        extra: { memoryUsedRatio: ratioOf(numberOrNull(shares.at(-2))) },
      }),
    ]
  })
}
