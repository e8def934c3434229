import { chipOf, type OutputReader, outputsOf } from '../outputs.ts'
import { parseCpuList } from '../parsing.ts'
import { featuresOf } from './features.ts'
import { type CpuSummary, parseCpuinfo, parseLscpu } from './lscpu.ts'
import { parseMeminfo } from './readings.ts'

const lscpu: OutputReader = {
  command: 'lscpu',
  answersTo: /lscpu/,
  matches: (text) =>
    /^\s*\{\s*"lscpu"/.test(text) || (/^CPU\(s\):/m.test(text) && /^(?:Socket|Model name|Architecture)/m.test(text)),
  read: (text) => {
    const summary = parseLscpu(text)
    return (
      summary && {
        chips: chipsOf(summary),
        facts: { hypervisor: summary.hypervisor, logicalCpus: summary.logicalCpus },
      }
    )
  },
}

const cpuinfo: OutputReader = {
  command: 'cat /proc/cpuinfo',
  answersTo: /cpuinfo/,
  matches: (text) => /^processor\s*:\s*\d/m.test(text),
  read: (text) => ({ chips: chipsOf(parseCpuinfo(text)) }),
}

const meminfo: OutputReader = {
  command: 'cat /proc/meminfo',
  answersTo: /meminfo/,
  matches: (text) => /^(?:Node \d+ )?MemTotal:/m.test(text),
  read: (text) => {
    const memory = parseMeminfo(text)
    return memory && { facts: { memoryTotalBytes: memory.totalBytes, memoryAvailableBytes: memory.availableBytes } }
  },
}

/** One `cpulist` after the other, or a single one. */
const nodes: OutputReader = {
  command: 'cat /sys/devices/system/node/node*/cpulist',
  answersTo: /\/sys\/devices\/system\/node|cpulist/,
  matches: (text) => text.length < 65_536 && /^[\d,\s:\w/-]+$/.test(text) && parseNodes(text).length > 0,
  read: (text) => ({ facts: { numaNodes: parseNodes(text) } }),
}

function parseNodes(text: string): { node: number; cpus: number[] }[] {
  return text.split('\n').flatMap((line, at) => {
    const match = /^(?:.*?node(\d{1,5}).*?[\s:])?\s*(\d[\d,-]*)\s*$/.exec(line)
    return match?.[2] ? [{ node: Number(match[1] ?? at), cpus: parseCpuList(match[2]) }] : []
  })
}

/** One chip per socket; which processors are whose, only sysfs tells. */
function chipsOf(summary: CpuSummary) {
  const sockets = Math.min(64, Math.max(1, summary.sockets ?? 1))
  return Array.from({ length: sockets }, (_, index) =>
    chipOf({
      vendor: 'cpu',
      index,
      product: summary.product?.replace(/\s+/g, ' ') ?? 'CPU',
      health: 'healthy',
      computeUnits: summary.logicalCpus === null ? null : Math.floor(summary.logicalCpus / sockets),
      features: featuresOf(summary.flags, /aarch|arm/i.test(summary.vendorId ?? '') ? 'arm64' : 'x64'),
      extra: { sockets, cores: summary.coresPerSocket, threadsPerCore: summary.threadsPerCore },
    }),
  )
}

export const cpuOutputs = outputsOf([lscpu, cpuinfo, meminfo, nodes])
