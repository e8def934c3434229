import type { ChipDriver, DriverHost, Fact } from '@medley/fleet'
import type { ChipFacts, ChipLink } from '@medley/fleet/protocol'
import { isRecord } from './json-paths.ts'
import { cleanText } from './outputs.ts'

/** Links change with the hardware only, and the tools take long to tell them. */
const EVERY_MS = 3_600_000
/** After a question that was not answered. */
const AGAIN_MS = 300_000
const TIMEOUT_MS = 30_000

/** What the tools' words for a way mean, from near to far. The vendors' own links go by many names. */
const KINDS: readonly (readonly [RegExp, ChipLink['kind']])[] = [
  [/^SIO$/i, 'card'],
  [/^PIX$/i, 'switch'],
  [/^PXB$/i, 'switches'],
  [/^(?:PHB|HOST|TRAVERSE)$/i, 'bridge'],
  [/^NODE$/i, 'socket'],
  [/^(?:SYS|SOC|QPI|UPI|xGMI-CPU)$/i, 'system'],
  [/^(?:NV|NVL|HCCS|HCCS_SW|HCCN|MT|MX|MLU|XPU|XGMI|XHMI|ICN|ICNL|AL|LINK)/i, 'link'],
]

/**
 * The links of a matrix as `readMatrix` gives it, by chip: row and column names end in the chip's index. Names that
 * belong to no chip (network cards), a chip's way to itself and words nobody knows are left out.
 */
export function linksOf(matrix: Fact | undefined, chips: readonly ChipFacts[]): ReadonlyMap<string, ChipLink[]> {
  const found = new Map<string, ChipLink[]>()
  if (!isRecord(matrix)) return found
  const byIndex = new Map(chips.flatMap((chip) => (chip.index === null ? [] : [[chip.index, chip.uuid] as const])))
  const chipOfName = (name: string): string | undefined => {
    const index = /^(?:GPU|NPU|MLU|XPU|DCU|HCU|PPU|Card|Phy-ID|DIE)[^\d]{0,3}(\d{1,4})$/i.exec(name)?.[1]
    return index === undefined ? undefined : byIndex.get(Number(index))
  }
  for (const [name, row] of Object.entries(matrix)) {
    const uuid = chipOfName(name)
    if (uuid === undefined || !isRecord(row)) continue
    const links = Object.entries(row).flatMap(([other, cell]): ChipLink[] => {
      const to = chipOfName(other)
      const label = typeof cell === 'string' ? cell.trim() : ''
      const kind = KINDS.find(([word]) => word.test(label))?.[1]
      return to === undefined || to === uuid || kind === undefined ? [] : [{ to, kind, label, bytesPerSecond: null }]
    })
    found.set(uuid, links)
  }
  return found
}

/**
 * Adds to a driver's chips what its topology command says, asked once an hour and after a change of the chips. A tool
 * that does not answer is asked again in minutes, and what it said before stays true meanwhile.
 *
 * @param now milliseconds of a clock that nobody can set
 */
export function createLinkReading(driver: ChipDriver, now: () => number) {
  let asked: { readonly againAtMs: number; readonly chips: string } | null = null
  let links: ReadonlyMap<string, readonly ChipLink[]> = new Map()
  return async (host: DriverHost, chips: readonly ChipFacts[]): Promise<readonly ChipFacts[]> => {
    const { topology } = driver
    const able = chips.filter((chip) => chip.health === 'healthy' || chip.health === 'degraded')
    if (topology === undefined || able.length < 2) return chips
    const uuids = new Set(chips.map((chip) => chip.uuid))
    // A matrix names chips by index: with other indices it tells of others.
    const present = JSON.stringify(chips.map((chip) => [chip.uuid, chip.index]))
    if (asked === null || asked.chips !== present || now() > asked.againAtMs) {
      const matrix = await readMatrixOf(driver, topology, host)
      asked = { againAtMs: now() + (isRecord(matrix) ? EVERY_MS : AGAIN_MS), chips: present }
      if (isRecord(matrix)) links = linksOf(matrix, chips)
    }
    return chips.map((chip) => {
      const known = links.get(chip.uuid)?.filter(({ to }) => uuids.has(to))
      return known === undefined ? chip : { ...chip, links: known }
    })
  }
}

async function readMatrixOf(
  driver: ChipDriver,
  topology: NonNullable<ChipDriver['topology']>,
  host: DriverHost,
): Promise<Fact | undefined> {
  const outcome = await host.run({ ...topology, timeoutMs: TIMEOUT_MS })
  if (outcome.kind !== 'output') return undefined
  const { facts } = driver.parseOutput(cleanText(outcome.stdout), typedOf(topology))
  return isRecord(facts.topology) ? facts.topology.links : facts.links
}

function typedOf({ candidates, args }: NonNullable<ChipDriver['topology']>): string {
  return [candidates[0]?.split('/').at(-1) ?? '', ...args].join(' ')
}
