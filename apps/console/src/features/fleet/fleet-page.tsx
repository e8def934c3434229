import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Segmented } from 'antd'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import { withFilter } from '../../shared/search.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ChoiceFilter } from '../../shared/ui/filters.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { When } from '../../shared/ui/when.tsx'
import { fleetMapQuery } from './api.ts'
import './fleet.css'
import { fleetMessages } from './fleet.messages.ts'
import { FleetMap } from './fleet-map.tsx'
import { GroupTable } from './group-table.tsx'
import { belongs, Legend, pointedOut } from './legend.tsx'
import { type GroupBy, layoutMap } from './map-layout.ts'
import { type FleetSearch, fleetSearch } from './search.ts'
import { driftedChips } from './standing.ts'
import { VendorTiles } from './vendor-tiles.tsx'

/** Width the map may take, as the window gives it. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (box.current === null) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [])
  return { box, width }
}

function MapPanel({ cells, search }: { readonly cells: readonly FleetCell[]; readonly search: FleetSearch }) {
  const t = useText(fleetMessages)
  const format = useFormat()
  const { box, width } = useWidth()
  const by: GroupBy = search.group === 'vendor' ? 'vendor' : 'rack'
  const pointed = search.state
  const drifted = useMemo(() => driftedChips(cells), [cells])
  const layout = useMemo(() => (width === 0 ? null : layoutMap(cells, by, width)), [cells, by, width])
  const marks = useMemo(() => {
    const chosen = [...pointedOut(pointed === undefined ? {} : { state: pointed })]
    return {
      drifted,
      faded: (cell: FleetCell) => chosen.length > 0 && !chosen.some((entry) => belongs(cell, entry, drifted)),
      titleOf: (key: string | null, chips: number) =>
        t('groupTitle', { name: key ?? t('noRack'), chips: format.count(chips) }),
    }
  }, [drifted, pointed, t, format])
  return (
    <>
      <Legend cells={cells} drifted={drifted} search={search} />
      <div ref={box} className="map-body">
        {layout === null ? null : <FleetMap layout={layout} marks={marks} />}
      </div>
      <GroupTable cells={cells} by={by} />
    </>
  )
}

function Controls({ search }: { readonly search: FleetSearch }) {
  const t = useText(fleetMessages)
  const navigate = useNavigate()
  const set = (name: keyof FleetSearch, value: string) =>
    void navigate({ to: '/fleet', search: withFilter(search, name, value), replace: true })
  return (
    <div className="filter-bar">
      <ChoiceFilter
        label={t('simulatedOnly')}
        value={search.simulated}
        any={t('realAndSimulated')}
        choices={[
          { value: 'false', label: t('realOnly') },
          { value: 'true', label: t('simulatedOnly') },
        ]}
        onChange={(value) => set('simulated', value)}
      />
      <Segmented
        aria-label={t('groupBy')}
        value={search.group === 'vendor' ? 'vendor' : 'rack'}
        options={[
          { value: 'rack', label: t('rack') },
          { value: 'vendor', label: t('vendor') },
        ]}
        onChange={(value) => set('group', value === 'vendor' ? 'vendor' : '')}
      />
    </div>
  )
}

function NoChips() {
  const t = useText(fleetMessages)
  return (
    <Empty
      title={t('none')}
      action={
        <>
          <CopyBlock label={t('simulate')} text="npx medley fleet simulate --plan bench/fleet/plans/demo.yaml" />
          <Link to="/nodes" className="button-link">
            {t('toNodes')}
          </Link>
        </>
      }
    >
      {t('noneNext')}
    </Empty>
  )
}

function Content({ cells, search }: { readonly cells: readonly FleetCell[]; readonly search: FleetSearch }) {
  const t = useText(fleetMessages)
  const { simulated, vendor } = search
  const ofKind = useMemo(
    () => (simulated === undefined ? cells : cells.filter((cell) => String(cell.simulated) === simulated)),
    [cells, simulated],
  )
  const shown = useMemo(
    () => (vendor === undefined ? ofKind : ofKind.filter((cell) => cell.vendor === vendor)),
    [ofKind, vendor],
  )
  if (cells.length === 0) {
    return (
      <div className="panel">
        <NoChips />
      </div>
    )
  }
  return (
    <div className="stack">
      <VendorTiles cells={ofKind} search={search} />
      <section className="panel map-panel" aria-label={t('title')}>
        {shown.length === 0 ? (
          <Empty title={t('noMatch')} action={<Link to="/fleet">{t('clear')}</Link>}>
            {t('noMatchNext')}
          </Empty>
        ) : (
          <MapPanel cells={shown} search={search} />
        )}
      </section>
    </div>
  )
}

export function FleetPage() {
  const t = useText(fleetMessages)
  const search = fleetSearch(useSearch({ from: '/shell/fleet' }))
  const map = useQuery(fleetMapQuery)
  return (
    <>
      <PageHead
        title={t('title')}
        sub={
          <>
            {t('sub')}{' '}
            {map.data === undefined ? null : (
              <span className="small">
                {t('asOf')} <When iso={map.data.at} />
              </span>
            )}
          </>
        }
        action={<Controls search={search} />}
      />
      <QueryView query={map}>{(data) => <Content cells={data.cells} search={search} />}</QueryView>
    </>
  )
}
