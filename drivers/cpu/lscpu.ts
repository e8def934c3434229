import { z } from 'zod'
import { bytesOrNull, countOrNull, parseKeyValues, textOrNull } from '../parsing.ts'

/** What lscpu or /proc/cpuinfo say of the machine as a whole. */
export interface CpuSummary {
  readonly product: string | null
  readonly vendorId: string | null
  readonly sockets: number | null
  readonly coresPerSocket: number | null
  readonly threadsPerCore: number | null
  readonly logicalCpus: number | null
  readonly flags: string | null
  readonly hypervisor: string | null
  /** Bytes of the last-level cache over the whole machine. */
  readonly lastLevelCacheBytes: number | null
}

interface LscpuNode {
  readonly field: string
  readonly data: string | null
  readonly children?: readonly LscpuNode[] | undefined
}

const lscpuNode: z.ZodType<LscpuNode> = z.lazy(() =>
  z.object({ field: z.string(), data: z.string().nullable(), children: z.array(lscpuNode).optional() }),
)
const lscpuDocument = z.object({ lscpu: z.array(lscpuNode) })

/** Reads `lscpu -J` (flat before util-linux 2.38, nested after) or, failing that, the plain table of `lscpu`. */
export function parseLscpu(stdout: string): CpuSummary | null {
  const fields = jsonFields(stdout) ?? parseKeyValues(stdout)
  if (!fields.has('architecture') && !fields.has('model name') && !fields.has('cpu(s)')) return null
  const cache = ['l4 cache', 'l3 cache', 'l2 cache'].map((key) => bytesOrNull(fields.get(key))).find((v) => v !== null)
  return {
    product: textOrNull(fields.get('model name')),
    vendorId: textOrNull(fields.get('vendor id')),
    sockets: countOrNull(fields.get('socket(s)')),
    coresPerSocket: countOrNull(fields.get('core(s) per socket')),
    threadsPerCore: countOrNull(fields.get('thread(s) per core')),
    logicalCpus: countOrNull(fields.get('cpu(s)')),
    flags: textOrNull(fields.get('flags')),
    hypervisor: textOrNull(fields.get('hypervisor vendor')),
    lastLevelCacheBytes: cache ?? null,
  }
}

function jsonFields(stdout: string): Map<string, string> | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(stdout)
  } catch {
    return null
  }
  const document = lscpuDocument.safeParse(parsed)
  if (!document.success) return null
  const found = new Map<string, string>()
  const visit = (nodes: readonly LscpuNode[]): void => {
    for (const node of nodes) {
      const key = node.field.replace(/:\s*$/, '').trim().toLowerCase()
      if (node.data !== null && !found.has(key)) found.set(key, node.data)
      visit(node.children ?? [])
    }
  }
  visit(document.data.lscpu)
  return found
}

/** Fallback where there is no lscpu: `/proc/cpuinfo`, whose keys differ by architecture. */
export function parseCpuinfo(text: string): CpuSummary {
  const fields = parseKeyValues(text)
  const packages = new Set([...text.matchAll(/^physical id\s*:\s*(\d+)/gm)].map((match) => match[1]))
  const logical = [...text.matchAll(/^processor\s*:\s*\d+/gm)].length
  const cores = countOrNull(fields.get('cpu cores'))
  const siblings = countOrNull(fields.get('siblings'))
  return {
    product: textOrNull(fields.get('model name')) ?? armProduct(fields),
    vendorId: textOrNull(fields.get('vendor_id')) ?? textOrNull(fields.get('cpu implementer')),
    sockets: packages.size > 0 ? packages.size : null,
    coresPerSocket: cores,
    threadsPerCore: cores && siblings ? Math.max(1, Math.round(siblings / cores)) : null,
    logicalCpus: logical > 0 ? logical : null,
    flags: textOrNull(fields.get('flags')) ?? textOrNull(fields.get('features')),
    hypervisor: null,
    // "cache size" of /proc/cpuinfo is the L2 on AMD and the L3 on Intel: not worth a guess.
    lastLevelCacheBytes: null,
  }
}

function armProduct(fields: ReadonlyMap<string, string>): string | null {
  const implementer = textOrNull(fields.get('cpu implementer'))
  const part = textOrNull(fields.get('cpu part'))
  return implementer && part ? `ARM implementer ${implementer} part ${part}` : null
}
