import type { Fact } from '@medley/fleet'
import { detectorCommands } from '../detector-json.ts'
import { type OutputReader, outputsOf } from '../outputs.ts'
import { countOrNull, textOrNull } from '../parsing.ts'
import { readMatrix } from '../topology.ts'
import { savedReader } from '../vendor-tool.ts'
import { parseDetails, parseMapping } from './details.ts'
import { parseTable } from './table.ts'

const table: OutputReader = {
  command: 'npu-smi info',
  answersTo: /npu-smi\s+info\s*$/,
  matches: (text) => /^\|\s*NPU\s+Name/m.test(text) || /^\|\s*npu-smi\s/m.test(text) || parseTable(text).length > 0,
  read: (text) => {
    const version = textOrNull(/\bnpu-smi\s+(\S+)\s+Version/.exec(text)?.[1])
    const chips = parseTable(text)
    return chips.length === 0 ? null : { chips, facts: version === null ? {} : { toolVersion: version } }
  },
}

const mapping: OutputReader = {
  command: 'npu-smi info -m',
  answersTo: /npu-smi\s+info\s+-m\b/,
  matches: (text) => /NPU ID\s{2,}.*Chip ID\s{2,}/.test(text),
  read: (text) => ({ chips: parseMapping(text) }),
}

const topology: OutputReader = {
  command: 'npu-smi info -t topo',
  answersTo: /-t\s+topo\b/,
  matches: (text) => /^\s*(?:NPU|Phy-ID)\d+\s+.*(?:NPU|Phy-ID)\d+/m.test(text) && /\bX\b/.test(text),
  read: (text) => {
    const matrix = readMatrix(text)
    return matrix && { facts: matrix }
  },
}

/** Any of the outputs of `-t KIND`; which one, its own words say. */
function details(kind: string, sign: RegExp): OutputReader {
  return {
    command: `npu-smi info -t ${kind}`,
    answersTo: new RegExp(`-t\\s+${kind}\\b`),
    matches: (text) => /^\s*NPU ID\s*:/m.test(text) && sign.test(text),
    read: (text) => ({ chips: parseDetails(text) }),
  }
}

const network: OutputReader = {
  command: 'hccn_tool',
  answersTo: /hccn_tool/,
  matches: (text) => /^\s*(?:link status|ipaddr|mac addr|default gateway)\s*:/m.test(text),
  read: (text) => {
    const value = (key: string): string | null =>
      textOrNull(new RegExp(`(?:^|[\\n,])\\s*${key}\\s*:\\s*([^,\\s]+)`, 'i').exec(text)?.[1])
    const mac = value('mac addr')
    const facts: Record<string, Fact> = {
      linkStatus: value('link status'),
      ipAddress: value('ipaddr'),
      netmask: value('netmask'),
      macAddress: mac !== null && /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac) ? mac : null,
      gateway: value('default gateway'),
      interface: value('Iface'),
      mtu: countOrNull(value('MTU')),
    }
    return { facts }
  },
}

/** `version.info` of the driver and `version.cfg` or `*_install.info` of the toolkit. */
const versions: OutputReader = {
  command: 'cat /usr/local/Ascend/driver/version.info',
  answersTo: /version\.(?:info|cfg)|install\.info/,
  matches: (text) =>
    text.length < 65_536 && /^\s*(?:Version|version|package_version|runtime_running_version)\s*=/m.test(text),
  read: (text) => {
    const value = (key: RegExp): string | null =>
      textOrNull(new RegExp(`^\\s*${key.source}\\s*=\\s*\\[?(.+?)\\]?\\s*$`, 'm').exec(text)?.[1])
    const [name, version] = [value(/package_name/), value(/(?:[Vv]ersion|package_version)/)]
    const own = name === null || /driver/i.test(name)
    return { facts: own ? { driverVersion: version } : { package: name, toolkitVersion: version } }
  },
}

const failure: OutputReader = {
  command: 'npu-smi info',
  answersTo: /npu-smi/,
  matches: (text) => /dcmi|DrvMng|npu-smi: (?:command )?not found|ret is -\d+/i.test(text),
  read: (text) => {
    const line = /^.*(?:dcmi|not found|ret is).*$/im.exec(text)?.[0].trim().slice(0, 200) ?? 'failed'
    const code = /ret is (-?\d{1,9})/.exec(text)?.[1]
    return { facts: { error: line, errorCode: code === undefined ? null : Number(code) } }
  },
}

export const ascendOutputs = outputsOf([
  table,
  mapping,
  topology,
  details('usages', /Capacity|Ctrlcpu Usage/i),
  details('common', /Aicore Usage Rate/i),
  details('board', /Board ID|Die ID|PCIe Bus Info|Firmware Version/i),
  details('ecc', /Bit Error/i),
  details('health', /Health/i),
  details('power', /Power/i),
  details('temp', /Temperature/i),
  details('product', /Product/i),
  ...detectorCommands('ascend').map((command) => savedReader('ascend', command)),
  network,
  versions,
  failure,
])
