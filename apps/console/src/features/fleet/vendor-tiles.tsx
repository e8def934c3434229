import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { fleetMessages } from './fleet.messages.ts'
import type { FleetSearch } from './search.ts'
import { figuresBy, type GroupFigures } from './standing.ts'

function Tile({
  figures,
  name,
  search,
  current,
}: {
  figures: GroupFigures
  name: string
  search: FleetSearch
  current: boolean
}) {
  const t = useText(fleetMessages)
  const format = useFormat()
  const onlySimulated = figures.simulated === figures.chips
  return (
    <Link
      to="/fleet"
      search={search}
      replace
      className={onlySimulated ? 'figure-tile vendor-tile hatch' : 'figure-tile vendor-tile'}
      activeOptions={{ exact: true, includeSearch: true }}
      {...(current ? { 'aria-current': 'true' as const } : {})}
    >
      <span className="name mono">{name}</span>
      <span className="value num">
        {format.count(figures.usable)}
        <small> / {format.count(figures.chips)}</small>
      </span>
      <span className="note">
        {t('usable')} · {format.count(figures.busy)} {t('busy')}
        {' · '}
        <span className={figures.sick > 0 ? 'sick' : ''}>
          {format.count(figures.sick)} {t('sick')}
        </span>
      </span>
      {figures.simulated === 0 ? null : (
        <span className="note">
          <StateMark
            state="simulated"
            label={onlySimulated ? t('simulated') : `${t('simulated')} ${format.count(figures.simulated)}`}
          />
        </span>
      )}
    </Link>
  )
}

/** Usable, busy and sick by vendor; a tile narrows the map to its vendor and back. */
export function VendorTiles({ cells, search }: { readonly cells: readonly FleetCell[]; readonly search: FleetSearch }) {
  const t = useText(fleetMessages)
  const vendors = figuresBy(cells, (cell) => cell.vendor)
  const all = figuresBy(cells, () => null)[0]
  const { vendor: chosen, ...rest } = search
  return (
    <nav className="figures-row" aria-label={t('vendorTiles')}>
      {all === undefined || vendors.length < 2 ? null : (
        <Tile figures={all} name={t('allVendors')} search={rest} current={chosen === undefined} />
      )}
      {vendors.map((figures) => (
        <Tile
          key={figures.key}
          figures={figures}
          name={figures.key ?? ''}
          current={chosen === figures.key}
          search={chosen === figures.key || figures.key === null ? rest : { ...rest, vendor: figures.key }}
        />
      ))}
    </nav>
  )
}
