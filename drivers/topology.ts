import type { Fact } from '@medley/fleet'

const DEVICE = /^(?:GPU|NPU|MLU|XPU|DCU|HCU|PPU|Card|Phy-ID|DIE|NIC|mlx|roce)[\w.:-]{0,24}$/i
const AFFINITY = /\b(?:node|numa|cpu)[ _-]?(?:node )?affinity\b/gi

/**
 * Reads the matrix that `topo -m` of most tools prints: devices across and down, `X` for itself, then affinities.
 * Columns of text are matched by the header's words, so that it does not matter which affinities a version has.
 */
export function readMatrix(text: string): Readonly<Record<string, Fact>> | null {
  const lines = text.split('\n').map((line) => line.replaceAll('\t', '  ').trimEnd())
  const at = lines.findIndex((line) => line.trim().split(/\s+/).filter(isDevice).length >= 1 && !/\bX\b/.test(line))
  if (at < 0) return null
  const header = lines[at] ?? ''
  const names = header.trim().replace(AFFINITY, '').split(/\s+/).filter(isDevice)
  const affinities = [...header.matchAll(AFFINITY)].map((match) => match[0].toLowerCase())
  const links: Record<string, Record<string, string>> = {}
  const cpuAffinity: Record<string, string> = {}
  const numaAffinity: Record<string, string> = {}
  for (const line of lines.slice(at + 1)) {
    const [name, ...cells] = line.trim().split(/\s+/)
    if (name === undefined || !isDevice(name) || cells.length < names.length || !names.includes(name)) continue
    links[name] = Object.fromEntries(names.map((other, index) => [other, cells[index] ?? '']))
    cells.slice(names.length).forEach((cell, index) => {
      const kind = affinities[index] ?? ''
      if (kind.startsWith('cpu')) cpuAffinity[name] = cell
      else if (kind !== '') numaAffinity[name] = cell
    })
  }
  if (Object.keys(links).length === 0) return null
  return {
    devices: names,
    links,
    ...(Object.keys(cpuAffinity).length > 0 ? { cpuAffinity } : {}),
    ...(Object.keys(numaAffinity).length > 0 ? { numaAffinity } : {}),
  }
}

const isDevice = (word: string): boolean => DEVICE.test(word) && /\d/.test(word)
