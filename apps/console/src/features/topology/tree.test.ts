import { describe, expect, it } from 'vitest'
import type { Node } from '../../shared/api/types.ts'
import { statesOf, treeOf } from './tree.ts'

type Part = Pick<Node, 'place' | 'chipCount' | 'chipStates'> & { readonly facts: { readonly hostname: string } }
const node = (hostname: string, spine: string | null, rack: string | null): Part => ({
  facts: { hostname },
  place: { spine, rack },
  chipCount: 8,
  chipStates: { healthy: 7, lost: 1 },
})
const tree = (...nodes: readonly Part[]) => treeOf(nodes as readonly Node[])

describe('treeOf', () => {
  it('orders spines, racks and nodes by number and puts the nameless last', () => {
    const [first, last] = tree(
      node('n10', 'S1', 'R10'),
      node('n2', 'S1', 'R2'),
      node('n1', 'S1', 'R2'),
      node('lost', null, null),
    )
    expect([first?.spine, last?.spine]).toEqual(['S1', null])
    expect(first?.racks.map(({ rack }) => rack)).toEqual(['R2', 'R10'])
    expect(first?.racks[0]?.nodes.map(({ facts }) => facts.hostname)).toEqual(['n1', 'n2'])
    expect([first?.nodes, first?.chips]).toEqual([3, 24])
  })

  it('adds up the states of the chips', () => {
    expect(statesOf([node('a', null, null), node('b', null, null)])).toEqual({ healthy: 14, lost: 2 })
  })
})
