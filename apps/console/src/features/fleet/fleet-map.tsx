import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import { ChipStateMark, useChipStateWord } from '../../shared/ui/chip-state.tsx'
import { useThemeName } from '../../theme/theme-name.ts'
import { drawMap, type MapMarks, paintOf } from './draw-map.ts'
import { fleetMessages } from './fleet.messages.ts'
import { cellAt, type Direction, type MapLayout, neighbour, type PlacedCell } from './map-layout.ts'

const directions: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

/** What the keyboard does on the map: a new place, a chip to open, or nothing of ours. */
function placeAfter(layout: MapLayout, here: number, key: string): number | null {
  if (key === 'Home') return 0
  if (key === 'End') return layout.cells.length - 1
  const direction = directions[key]
  return direction === undefined ? null : neighbour(layout, here, direction)
}

function useCellWords(): (cell: FleetCell, drifted: boolean) => string {
  const t = useText(fleetMessages)
  const word = useChipStateWord()
  const format = useFormat()
  return (cell, drifted) => {
    const states = [word(cell.state), ...(cell.quarantined ? [t('quarantined')] : [])].join(', ')
    const said = t('cellWords', {
      product: cell.product,
      node: cell.nodeName,
      where: cell.rack ?? t('noRack'),
      state: states,
      utilization: cell.utilizationRatio === null ? t('notReported') : format.percent(cell.utilizationRatio),
    })
    return [
      said,
      ...(drifted ? [t('drifted', { version: cell.driverVersion ?? '' })] : []),
      ...(cell.simulated ? [t('simulated')] : []),
    ].join(', ')
  }
}

interface CellCardProps {
  readonly placed: PlacedCell
  readonly layout: MapLayout
  readonly drifted: boolean
}

/** Short facts beside the cell under the pointer or the keyboard. */
function CellCard({ placed, layout, drifted }: CellCardProps) {
  const t = useText(fleetMessages)
  const format = useFormat()
  const { cell, x, y } = placed
  const half = x > layout.width / 2
  return (
    <div
      className="cell-card"
      aria-hidden="true"
      style={{
        top: y + layout.cellPixels + 8,
        ...(half ? { right: layout.width - x - layout.cellPixels } : { left: x }),
      }}
    >
      <strong>{cell.product}</strong>
      <span className="row small">
        <ChipStateMark state={cell.state} quarantined={cell.quarantined} simulated={cell.simulated} />
      </span>
      <dl>
        <dt>{t('node')}</dt>
        <dd>
          {cell.nodeName}
          {cell.rack === null ? '' : ` · ${cell.rack}`}
        </dd>
        <dt>{t('utilization')}</dt>
        <dd>{cell.utilizationRatio === null ? '—' : format.percent(cell.utilizationRatio)}</dd>
        <dt>{t('temperature')}</dt>
        <dd>{cell.temperatureCelsius === null ? '—' : format.measure(cell.temperatureCelsius, '°C')}</dd>
        <dt>{t('driver')}</dt>
        <dd className={drifted ? 'drifted' : ''}>{cell.driverVersion ?? '—'}</dd>
      </dl>
    </div>
  )
}

interface FleetMapProps {
  readonly layout: MapLayout
  readonly marks: MapMarks
}

/** The map on a canvas. One stop for the Tab key; within it arrow keys move and a live line says what is there. */
export function FleetMap({ layout, marks }: FleetMapProps) {
  const t = useText(fleetMessages)
  const navigate = useNavigate()
  const theme = useThemeName()
  const words = useCellWords()
  const canvas = useRef<HTMLCanvasElement>(null)
  const ring = useRef<HTMLDivElement>(null)
  const [pointed, setPointed] = useState(-1)
  const [focused, setFocused] = useState(-1)
  const [hasFocus, setHasFocus] = useState(false)

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current !== null) drawMap(canvas.current, layout, paintOf(theme), marks)
    })
    return () => cancelAnimationFrame(frame)
  }, [layout, marks, theme])
  useEffect(() => {
    if (hasFocus && focused >= 0) ring.current?.scrollIntoView({ block: 'nearest' })
  }, [focused, hasFocus])

  const open = (place: number) => {
    const chipId = layout.cells[place]?.cell.chipId
    if (chipId !== undefined) void navigate({ to: '/chips/$chipId', params: { chipId } })
  }
  const placeOf = (event: { readonly clientX: number; readonly clientY: number }) => {
    const box = canvas.current?.getBoundingClientRect()
    return box === undefined ? -1 : cellAt(layout, event.clientX - box.left, event.clientY - box.top)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') return open(focused)
    const next = placeAfter(layout, focused, event.key)
    if (next === null) return
    event.preventDefault()
    setPointed(-1)
    setFocused(next)
  }
  const marked = layout.cells[hasFocus ? focused : -1]
  const shown = layout.cells[pointed] ?? marked
  return (
    <div className="map-scroll">
      <div
        className="map-field"
        role="application"
        aria-label={t('map')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the canvas is one widget with keys of its own
        tabIndex={0}
        style={{ width: layout.width, height: layout.height }}
        onKeyDown={onKeyDown}
        onFocus={() => {
          setHasFocus(true)
          setFocused((place) => (place < 0 ? 0 : Math.min(place, layout.cells.length - 1)))
        }}
        onBlur={() => setHasFocus(false)}
        onPointerMove={(event) => setPointed(placeOf(event))}
        onPointerLeave={() => setPointed(-1)}
        onClick={(event) => open(placeOf(event))}
      >
        <canvas
          ref={canvas}
          style={{ width: layout.width, height: layout.height, cursor: pointed >= 0 ? 'pointer' : 'default' }}
        />
        {marked === undefined ? null : (
          <div
            ref={ring}
            className="cell-ring"
            style={{
              left: marked.x - 3,
              top: marked.y - 3,
              width: layout.cellPixels + 6,
              height: layout.cellPixels + 6,
            }}
          />
        )}
        {shown === undefined ? null : (
          <CellCard placed={shown} layout={layout} drifted={marks.drifted.has(shown.cell.chipId)} />
        )}
      </div>
      <p className="vh" role="status">
        {marked === undefined ? '' : words(marked.cell, marks.drifted.has(marked.cell.chipId))}
      </p>
    </div>
  )
}
