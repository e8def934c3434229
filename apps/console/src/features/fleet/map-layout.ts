import type { FleetCell } from '../../shared/api/types.ts'

export type GroupBy = 'rack' | 'vendor'

export interface PlacedCell {
  readonly cell: FleetCell
  readonly x: number
  readonly y: number
}

interface PlacedLabel {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly width: number
}

/** `key` null: chips of nodes without a rack. */
export interface PlacedGroup {
  readonly key: string | null
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly chips: number
  readonly nodes: number
}

export interface MapLayout {
  readonly width: number
  readonly height: number
  /** Side of one cell, without the space around it. */
  readonly cellPixels: number
  readonly cells: readonly PlacedCell[]
  readonly groups: readonly PlacedGroup[]
  /** Names of nodes, where cells are large enough to set one beside them. */
  readonly labels: readonly PlacedLabel[]
}

const titlePixels = 24
const paddingPixels = 10
const betweenGroupsPixels = 12
const betweenColumnsPixels = 10
const labelPixels = 96
const labelledFrom = 14
/** A node's chips lie side by side, as cards do in its slots; more than this begin a second line. */
const chipsPerLine = 8
/** Nodes above one another, as in a rack; more of them begin a second column. */
const nodesPerColumn = 42

const byName = new Intl.Collator('en', { numeric: true })

function cellPixelsFor(count: number): number {
  if (count <= 100) return 26
  if (count <= 400) return 20
  return count <= 1600 ? 15 : 10
}

/** Racks and vendors in the order of their names, what has no rack last. */
function grouped(cells: readonly FleetCell[], by: GroupBy): readonly (readonly [string | null, FleetCell[]])[] {
  const groups = Map.groupBy(cells, (cell) => (by === 'rack' ? cell.rack : cell.vendor))
  return [...groups].sort(([a], [b]) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    return byName.compare(a, b)
  })
}

function nodesOf(cells: readonly FleetCell[]): readonly FleetCell[][] {
  // The server's order may change between two answers; places must not.
  const inOrder = cells.toSorted((a, b) => (a.chipId < b.chipId ? -1 : 1))
  const nodes = [...Map.groupBy(inOrder, (cell) => cell.nodeId).values()]
  return nodes.sort(([a], [b]) => byName.compare(a?.nodeName ?? '', b?.nodeName ?? ''))
}

interface Block {
  readonly cells: readonly PlacedCell[]
  readonly labels: readonly PlacedLabel[]
  readonly width: number
  readonly height: number
}

/** Places the nodes of one group from (0, 0), column by column. */
function placeNodes(nodes: readonly FleetCell[][], pitch: number, labelled: boolean, available: number): Block {
  const cells: PlacedCell[] = []
  const labels: PlacedLabel[] = []
  const label = labelled ? labelPixels : 0
  const widest = Math.min(chipsPerLine, Math.max(...nodes.map((node) => node.length)))
  const columnWidth = label + widest * pitch + betweenColumnsPixels
  const fitting = Math.max(Math.floor((available + betweenColumnsPixels) / columnWidth), 1)
  const columns = Math.min(fitting, Math.ceil(nodes.length / nodesPerColumn))
  const perColumn = Math.ceil(nodes.length / columns)
  let height = 0
  let y = 0
  for (const [place, node] of nodes.entries()) {
    if (place % perColumn === 0) y = 0
    const left = Math.floor(place / perColumn) * columnWidth
    if (labelled) labels.push({ text: node[0]?.nodeName ?? '', x: left, y, width: labelPixels - 8 })
    for (const [slot, cell] of node.entries()) {
      cells.push({
        cell,
        x: left + label + (slot % chipsPerLine) * pitch,
        y: y + Math.floor(slot / chipsPerLine) * pitch,
      })
    }
    y += Math.ceil(node.length / chipsPerLine) * pitch
    height = Math.max(height, y)
  }
  return { cells, labels, width: columns * columnWidth - betweenColumnsPixels, height }
}

/**
 * Gives every chip its place: groups flow from left to right, nodes stand in them above one another, the chips of a
 * node lie side by side. The same cells always give the same places, so a refresh moves nothing.
 */
export function layoutMap(cells: readonly FleetCell[], by: GroupBy, width: number): MapLayout {
  const cellPixels = cellPixelsFor(cells.length)
  const pitch = cellPixels + (cellPixels > 12 ? 3 : 2)
  const labelled = cellPixels >= labelledFrom
  const placed: PlacedCell[] = []
  const labels: PlacedLabel[] = []
  const groups: PlacedGroup[] = []
  let [x, y, lineHeight] = [0, 0, 0]
  for (const [key, members] of grouped(cells, by)) {
    const nodes = nodesOf(members)
    const block = placeNodes(nodes, pitch, labelled, width - 2 * paddingPixels)
    const groupWidth = Math.max(block.width + 2 * paddingPixels, 84)
    const groupHeight = block.height + titlePixels + 2 * paddingPixels
    if (x > 0 && x + groupWidth > width) {
      x = 0
      y += lineHeight + betweenGroupsPixels
      lineHeight = 0
    }
    groups.push({ key, x, y, width: groupWidth, height: groupHeight, chips: members.length, nodes: nodes.length })
    const [left, top] = [x + paddingPixels, y + titlePixels + paddingPixels]
    for (const cell of block.cells) placed.push({ cell: cell.cell, x: cell.x + left, y: cell.y + top })
    for (const label of block.labels) labels.push({ ...label, x: label.x + left, y: label.y + top })
    x += groupWidth + betweenGroupsPixels
    lineHeight = Math.max(lineHeight, groupHeight)
  }
  return { width, height: y + lineHeight, cellPixels, cells: placed, groups, labels }
}

/** @returns place of the cell under a point in `layout.cells`, -1 where there is none */
export function cellAt(layout: MapLayout, x: number, y: number): number {
  const size = layout.cellPixels + 2
  return layout.cells.findIndex(
    (placed) => x >= placed.x && x < placed.x + size && y >= placed.y && y < placed.y + size,
  )
}

export type Direction = 'left' | 'right' | 'up' | 'down'

/** The nearest cell in a direction; straight ahead is nearer than aside. Stays where it is at the border. */
export function neighbour(layout: MapLayout, from: number, direction: Direction): number {
  const here = layout.cells[from]
  if (here === undefined) return layout.cells.length > 0 ? 0 : -1
  const sideways = direction === 'left' || direction === 'right'
  const sign = direction === 'right' || direction === 'down' ? 1 : -1
  let best = from
  let shortest = Number.POSITIVE_INFINITY
  for (const [place, { x, y }] of layout.cells.entries()) {
    const [dx, dy] = [x - here.x, y - here.y]
    const ahead = sign * (sideways ? dx : dy)
    if (ahead <= 0) continue
    const distance = ahead + 4 * Math.abs(sideways ? dy : dx)
    if (distance < shortest) [best, shortest] = [place, distance]
  }
  return best
}
