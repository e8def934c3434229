import type { ReactNode } from 'react'

interface FigureTileProps {
  readonly name: string
  readonly value: ReactNode
  readonly note?: ReactNode
}

/** One figure with its name and what qualifies it; stands in a `figures-row`. */
export function FigureTile({ name, value, note }: FigureTileProps) {
  return (
    <div className="figure-tile">
      <span className="name">{name}</span>
      <span className="value num">{value}</span>
      {note === undefined ? null : <span className="note">{note}</span>}
    </div>
  )
}
