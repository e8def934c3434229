import { useNavigate } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import { chipStates, markOfChip, useChipStateWord } from '../../shared/ui/chip-state.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { useThemeName } from '../../theme/theme-name.ts'
import { utilizationStops } from './draw-map.ts'
import { fleetMessages } from './fleet.messages.ts'
import type { FleetSearch } from './search.ts'

const pointable = [...chipStates, 'quarantined', 'drifted'] as const
type Pointable = (typeof pointable)[number]

/** Which of the legend's entries the address points out. */
export function pointedOut(search: FleetSearch): ReadonlySet<string> {
  const named = (search.state ?? '').split(',')
  return new Set(pointable.filter((entry) => named.includes(entry)))
}

/** Whether a cell belongs to one of the legend's entries. */
export function belongs(cell: FleetCell, entry: string, drifted: ReadonlySet<string>): boolean {
  if (entry === 'quarantined') return cell.quarantined
  return entry === 'drifted' ? drifted.has(cell.chipId) : cell.state === entry
}

function Scale() {
  const t = useText(fleetMessages)
  const theme = useThemeName()
  return (
    <span className="map-scale">
      <span>0%</span>
      <span
        role="img"
        aria-label={t('scale')}
        className="map-scale-bar"
        style={{ background: `linear-gradient(90deg, ${utilizationStops[theme].join(', ')})` }}
      />
      <span>100%</span>
    </span>
  )
}

interface LegendProps {
  readonly cells: readonly FleetCell[]
  readonly drifted: ReadonlySet<string>
  readonly search: FleetSearch
}

/** What the signs mean, how many there are of each, and a way to see only those. */
export function Legend({ cells, drifted, search }: LegendProps) {
  const t = useText(fleetMessages)
  const format = useFormat()
  const word = useChipStateWord()
  const navigate = useNavigate()
  const chosen = pointedOut(search)
  const counted = pointable
    .map((entry) => ({ entry, count: cells.filter((cell) => belongs(cell, entry, drifted)).length }))
    .filter(({ entry, count }) => count > 0 || chosen.has(entry))
  const toggle = (entry: Pointable) => {
    const next = pointable.filter((each) => (each === entry ? !chosen.has(each) : chosen.has(each)))
    const { state: _, ...rest } = search
    void navigate({
      to: '/fleet',
      search: next.length === 0 ? rest : { ...rest, state: next.join(',') },
      replace: true,
    })
  }
  const label = (entry: Pointable) => (entry === 'drifted' ? t('driftLegend') : word(entry))
  return (
    <fieldset className="map-legend">
      <legend className="vh">{t('legend')}</legend>
      {counted.map(({ entry, count }) => (
        <button
          key={entry}
          type="button"
          className="legend-entry"
          aria-pressed={chosen.has(entry)}
          onClick={() => toggle(entry)}
        >
          {entry === 'drifted' ? (
            <span className="state degraded">
              <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
                <rect x="1" y="1" width="12" height="12" fill="none" stroke="currentColor" />
                <path d="M6 1h7v7z" fill="currentColor" />
              </svg>
              {label(entry)}
            </span>
          ) : (
            <StateMark state={entry === 'quarantined' ? 'held' : markOfChip(entry)} label={label(entry)} />
          )}
          <span className="num">{format.count(count)}</span>
        </button>
      ))}
      {chosen.size === 0 ? null : (
        <button
          type="button"
          className="legend-entry plain"
          onClick={() => {
            const { state: _, ...rest } = search
            void navigate({ to: '/fleet', search: rest, replace: true })
          }}
        >
          {t('clear')}
        </button>
      )}
      <Scale />
    </fieldset>
  )
}
