import type { FleetCell } from '../../shared/api/types.ts'
import { markOfChip } from '../../shared/ui/chip-state.tsx'
import type { MapLayout, PlacedCell } from './map-layout.ts'

/** From idle to full: one hue whose lightness runs one way, so that no kind of colour blindness mixes it up. */
export const utilizationStops = {
  light: ['#e3eef1', '#b3d6de', '#72b1c1', '#33829a', '#0a4558'],
  dark: ['#1e2d32', '#22505c', '#2f7989', '#56adbd', '#b4ebf3'],
} as const

export interface MapPaint {
  readonly stops: readonly string[]
  readonly surface: string
  readonly line: string
  readonly text: string
  readonly muted: string
  readonly degraded: string
  readonly failed: string
  readonly accent: string
  readonly font: string
}

/** The colours of the theme in force, as the style sheet has them. */
export function paintOf(theme: 'light' | 'dark'): MapPaint {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    stops: utilizationStops[theme],
    surface: colour('surface'),
    line: colour('line-strong'),
    text: colour('text'),
    muted: colour('muted'),
    degraded: colour('degraded'),
    failed: colour('failed'),
    accent: colour('accent'),
    font: colour('font'),
  }
}

export interface MapMarks {
  readonly drifted: ReadonlySet<string>
  /** Cells that a filter put aside: drawn faintly. */
  readonly faded: (cell: FleetCell) => boolean
  readonly titleOf: (key: string | null, chips: number) => string
}

function channels(hex: string): readonly [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

/** Colour of a share between 0 and 1 on the scale. */
function scaleColour(stops: readonly string[], ratio: number): string {
  const place = Math.min(Math.max(ratio, 0), 1) * (stops.length - 1)
  const [low, high] = [stops[Math.floor(place)] ?? '#000000', stops[Math.ceil(place)] ?? '#000000']
  const [a, b] = [channels(low), channels(high)]
  const part = place - Math.floor(place)
  const mixed = a.map((value, channel) => Math.round(value + ((b[channel] ?? 0) - value) * part))
  return `rgb(${mixed.join(' ')})`
}

type Pen = CanvasRenderingContext2D

/** Diagonal lines, the sign of the simulated everywhere in the console. */
function hatch(pen: Pen, x: number, y: number, size: number, colour: string): void {
  pen.save()
  pen.beginPath()
  pen.rect(x, y, size, size)
  pen.clip()
  pen.strokeStyle = colour
  pen.lineWidth = 1
  pen.globalAlpha *= 0.55
  pen.beginPath()
  for (let offset = -size; offset < size; offset += 4) {
    pen.moveTo(x + offset, y + size)
    pen.lineTo(x + offset + size, y)
  }
  pen.stroke()
  pen.restore()
}

/** The state as a border and, so that colour is not alone, as a sign within it. */
function drawState(pen: Pen, { cell, x, y }: PlacedCell, size: number, paint: MapPaint): void {
  const mark = markOfChip(cell.state)
  if (mark === 'healthy' && !cell.quarantined) {
    pen.strokeStyle = paint.line
    pen.globalAlpha *= 0.35
    pen.lineWidth = 1
    pen.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1)
    return
  }
  const thick = size >= 14 ? 2.5 : 2
  pen.strokeStyle = mark === 'failed' ? paint.failed : mark === 'unknown' ? paint.muted : paint.degraded
  pen.lineWidth = mark === 'unknown' ? 1 : thick
  pen.setLineDash(mark === 'unknown' ? [2, 2] : [])
  pen.strokeRect(x + pen.lineWidth / 2, y + pen.lineWidth / 2, size - pen.lineWidth, size - pen.lineWidth)
  pen.setLineDash([])
  pen.lineWidth = size >= 14 ? 1.8 : 1.4
  pen.beginPath()
  const [inner, outer] = [size * 0.3, size * 0.7]
  if (mark === 'failed') {
    pen.moveTo(x + inner, y + inner)
    pen.lineTo(x + outer, y + outer)
    pen.moveTo(x + outer, y + inner)
    pen.lineTo(x + inner, y + outer)
  } else if (cell.quarantined) {
    pen.moveTo(x + inner, y + outer)
    pen.lineTo(x + outer, y + inner)
  }
  pen.stroke()
}

function drawCell(pen: Pen, placed: PlacedCell, size: number, paint: MapPaint, marks: MapMarks): void {
  const { cell, x, y } = placed
  const ratio = cell.utilizationRatio
  pen.globalAlpha = marks.faded(cell) ? 0.13 : 1
  pen.fillStyle = ratio === null ? paint.surface : scaleColour(paint.stops, ratio)
  pen.fillRect(x, y, size, size)
  if (cell.simulated) hatch(pen, x, y, size, ratio !== null && ratio > 0.55 ? paint.surface : paint.muted)
  const alpha = pen.globalAlpha
  drawState(pen, placed, size, paint)
  pen.globalAlpha = alpha
  if (marks.drifted.has(cell.chipId)) {
    const corner = Math.max(size * 0.42, 5)
    pen.fillStyle = paint.degraded
    pen.beginPath()
    pen.moveTo(x + size - corner, y)
    pen.lineTo(x + size, y)
    pen.lineTo(x + size, y + corner)
    pen.fill()
    pen.strokeStyle = paint.surface
    pen.lineWidth = 1
    pen.stroke()
  }
}

function clipped(pen: Pen, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text
  let shown = text
  // The end of a node's name tells it apart: the middle is what gives way.
  while (shown.length > 4 && pen.measureText(shown).width > width) {
    const middle = Math.floor(shown.length / 2) - 1
    shown = `${shown.slice(0, middle)}…${shown.slice(middle + 2)}`
  }
  return shown
}

/** Paints the whole map anew within one frame: ten thousand cells take a few milliseconds. */
export function drawMap(canvas: HTMLCanvasElement, layout: MapLayout, paint: MapPaint, marks: MapMarks): void {
  const pen = canvas.getContext('2d')
  if (pen === null) return
  const dense = window.devicePixelRatio
  const [width, height] = [Math.round(layout.width * dense), Math.round(layout.height * dense)]
  // Setting the size clears the canvas, so it is only set when it changes.
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  pen.setTransform(dense, 0, 0, dense, 0, 0)
  pen.globalAlpha = 1
  pen.clearRect(0, 0, layout.width, layout.height)
  pen.textBaseline = 'middle'
  for (const group of layout.groups) {
    pen.strokeStyle = paint.line
    pen.lineWidth = 1
    pen.globalAlpha = 0.45
    pen.strokeRect(group.x + 0.5, group.y + 0.5, group.width - 1, group.height - 1)
    pen.globalAlpha = 1
    pen.fillStyle = paint.text
    pen.font = `600 12.5px ${paint.font}`
    pen.fillText(clipped(pen, marks.titleOf(group.key, group.chips), group.width - 20), group.x + 10, group.y + 18)
  }
  pen.font = `11.5px ${paint.font}`
  pen.fillStyle = paint.muted
  for (const label of layout.labels) {
    pen.fillText(clipped(pen, label.text, label.width), label.x, label.y + layout.cellPixels / 2 + 0.5)
  }
  for (const placed of layout.cells) drawCell(pen, placed, layout.cellPixels, paint, marks)
  pen.globalAlpha = 1
}
