import type { Node } from '../../shared/api/types.ts'

export interface RackBranch {
  /** Null: nodes nobody has placed in a rack. */
  readonly rack: string | null
  readonly nodes: readonly Node[]
}

export interface SpineBranch {
  readonly spine: string | null
  readonly racks: readonly RackBranch[]
  readonly nodes: number
  readonly chips: number
}

const names = new Intl.Collator('en', { numeric: true })

/** Named ones in the order of their numbers, the nameless last. */
function byName(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return names.compare(a, b)
}

/** Spine switches, the racks at each, the nodes in each rack. */
export function treeOf(nodes: readonly Node[]): readonly SpineBranch[] {
  return [...Map.groupBy(nodes, (node) => node.place.spine)]
    .map(([spine, members]) => ({
      spine,
      nodes: members.length,
      chips: members.reduce((sum, node) => sum + node.chipCount, 0),
      racks: [...Map.groupBy(members, (node) => node.place.rack)]
        .map(([rack, inRack]) => ({
          rack,
          nodes: inRack.toSorted((a, b) => names.compare(a.facts.hostname, b.facts.hostname)),
        }))
        .sort((a, b) => byName(a.rack, b.rack)),
    }))
    .sort((a, b) => byName(a.spine, b.spine))
}

/** Chips per state over several nodes. */
export function statesOf(nodes: readonly Pick<Node, 'chipStates'>[]): Node['chipStates'] {
  const sums: Node['chipStates'] = {}
  for (const { chipStates } of nodes) {
    for (const [state, count] of Object.entries(chipStates)) {
      const key = state as keyof Node['chipStates']
      sums[key] = (sums[key] ?? 0) + count
    }
  }
  return sums
}
