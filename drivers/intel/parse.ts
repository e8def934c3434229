import { flatten, isRecord, parseLooseJson } from '../json-paths.ts'
import { findBdf, linesOf } from '../lines.ts'
import { ratioOf } from '../outputs.ts'
import { bytesOrNull, countOrNull, normalizePciAddress, numberOrNull, textOrNull } from '../parsing.ts'
import { type Reading, readingOf } from '../reading.ts'
import { pick } from '../smi-log.ts'

type Values = ReadonlyMap<string, string>

/** `discovery -j`: `{device_list: [...]}`, or one device's own record with `-d`. */
export function parseDiscovery(text: string): Reading[] {
  const document = parseLooseJson(text)
  if (!isRecord(document)) return []
  const list = Array.isArray(document.device_list) ? document.device_list : [document]
  return list
    .filter((record) => isRecord(record) && 'device_id' in record && ('device_name' in record || 'uuid' in record))
    .map((record) => readDevice(flatten(record)))
}

function readDevice(values: Values): Reading {
  const state = textOrNull(pick(values, 'device_state'))
  const ill = state !== null && !/^(?:normal|ok|healthy)$/i.test(state)
  return readingOf({
    index: countOrNull(pick(values, 'device_id', 'device id')),
    uuid: textOrNull(pick(values, 'uuid', 'soc_uuid', 'soc uuid')),
    serial: textOrNull(pick(values, 'serial_number', 'serial number')),
    product: textOrNull(pick(values, 'device_name', 'device name')),
    pciAddress: normalizePciAddress(pick(values, 'pci_bdf_address', 'pci bdf address')),
    driverVersion: textOrNull(pick(values, 'driver_version', 'driver version')),
    firmwareVersion: textOrNull(pick(values, 'gfx_firmware_version', 'gfx firmware version')),
    memoryTotalBytes: bytesOrNull(pick(values, 'memory_physical_size_byte', 'memory physical size')),
    computeUnits: countOrNull(pick(values, 'number_of_eus', 'number of eus')),
    health: ill ? 'unusable' : null,
    reasons: ill ? [{ code: 'health-reported', params: { tool: 'xpu-smi', value: state.slice(0, 80) } }] : [],
  })
}

/** The framed form: a device's number in the first column, `Name: value` lines in the second. */
export function parseDiscoveryTable(text: string): Reading[] {
  const devices: Map<string, string>[] = []
  for (const line of linesOf(text)) {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length < 4) continue
    if (/^\d{1,3}$/.test(cells[1] ?? '')) devices.push(new Map([['device id', cells[1] ?? '']]))
    const match = /^([^:]{2,40}):\s*(.*)$/.exec(cells[2] ?? '')
    if (match?.[1]) devices.at(-1)?.set(match[1].toLowerCase(), match[2] ?? '')
  }
  return devices
    .map(readDevice)
    .filter((reading) => reading.pciAddress !== null || reading.uuid !== null || reading.product !== null)
}

/** `stats -d N -j`: a list of named readings of the device. */
export function parseStats(text: string): Reading[] {
  const document = parseLooseJson(text)
  if (!isRecord(document) || !Array.isArray(document.device_level)) return []
  const readings = new Map<string, number>()
  for (const metric of document.device_level) {
    if (!isRecord(metric) || typeof metric.metrics_type !== 'string') continue
    const value = typeof metric.value === 'number' ? metric.value : metric.avg
    if (typeof value === 'number' && Number.isFinite(value)) readings.set(metric.metrics_type, value)
  }
  const of = (name: string): number | null => readings.get(`XPUM_STATS_${name}`) ?? null
  const used = of('MEMORY_USED')
  return [
    readingOf({
      index: countOrNull(String(document.device_id ?? '')),
      powerWatts: of('POWER'),
      temperatureCelsius: of('GPU_CORE_TEMPERATURE'),
      utilizationRatio: ratioOf(of('GPU_UTILIZATION')),
      // In MiB, as the tool's tables say.
      memoryUsedBytes: used === null ? null : Math.round(used * 2 ** 20),
      eccErrorsUncorrected: of('RAS_ERROR_CAT_CACHE_ERRORS_UNCORRECTABLE'),
    }),
  ]
}

/** `dump`: CSV with the units in the heading; the last line of a device counts. */
export function parseDump(text: string): Reading[] {
  const [head = '', ...lines] = linesOf(text.slice(Math.max(0, text.search(/^Timestamp,/im))))
  const names = head.split(',').map((name) => name.trim().toLowerCase())
  const found = new Map<string, Reading>()
  for (const line of lines) {
    const cells = line.split(',').map((cell) => cell.trim())
    if (cells.length !== names.length) continue
    const values = new Map(names.map((name, column) => [name, cells[column] ?? '']))
    const index = countOrNull(pick(values, /^device ?id/))
    if (index === null) continue
    found.set(
      String(index),
      readingOf({
        index,
        pciAddress: normalizePciAddress(findBdf(line)),
        utilizationRatio: ratioOf(numberOrNull(pick(values, /^gpu utilization/))),
        powerWatts: numberOrNull(pick(values, /^gpu power/)),
        temperatureCelsius: numberOrNull(pick(values, /^gpu core temp/)),
        memoryUsedBytes: bytesOrNull(pick(values, /^gpu memory used/), 2 ** 20),
      }),
    )
  }
  return [...found.values()]
}
