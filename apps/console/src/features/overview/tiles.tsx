import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { fleetSummaryQuery } from '../../shared/api/queries.ts'
import type { FleetSummary, Status } from '../../shared/api/types.ts'
import { overviewMessages } from './overview.messages.ts'

interface TileProps {
  readonly to: '/chips' | '/models' | '/usage'
  readonly name: string
  readonly value: string
  readonly note: ReactNode
}

function Tile({ to, name, value, note }: TileProps) {
  return (
    <Link to={to} className="tile">
      <span className="tile-name">{name}</span>
      <span className="tile-value num">{value}</span>
      <span className="tile-note">{note}</span>
    </Link>
  )
}

/** Real chips by standing; the simulated are counted apart and in no sum. */
function chipCounts(rows: FleetSummary['byVendor']) {
  const real = rows.filter((row) => !row.simulated)
  const count = (of: typeof rows, test: (state: string) => boolean) =>
    of.flatMap(({ states }) => Object.entries(states)).reduce((sum, [state, n]) => (test(state) ? sum + n : sum), 0)
  return {
    chips: count(real, () => true),
    usable: count(real, (state) => state === 'healthy' || state === 'degraded'),
    sick: count(real, (state) => state !== 'healthy' && state !== 'unknown'),
    unknown: count(real, (state) => state === 'unknown'),
    simulated: count(
      rows.filter((row) => row.simulated),
      () => true,
    ),
  }
}

export function Tiles({ status }: { readonly status: Status }) {
  const t = useText(overviewMessages)
  const format = useFormat()
  const summary = useQuery(fleetSummaryQuery).data
  const { chips, usable, sick, unknown, simulated } = chipCounts(summary?.byVendor ?? [])
  const ready = status.deployments.filter(({ state }) => state === 'ready').length
  const held = status.models.filter(({ state }) => state === 'ready').length
  const chipsNote = () => {
    if (sick > 0) return t('chipsSick', { sick: format.count(sick) })
    if (simulated > 0) return t('chipsSimulated', { simulated: format.count(simulated) })
    return unknown > 0 ? t('chipsUnknown', { unknown: format.count(unknown) }) : t('chipsWell')
  }
  const of = (part: number, whole: number) => t('chipsOf', { usable: format.count(part), all: format.count(whole) })
  return (
    <div className="tiles">
      <Tile
        to="/chips"
        name={t('chipsTile')}
        value={summary === undefined ? '…' : of(usable, chips)}
        note={chipsNote()}
      />
      <Tile
        to="/models"
        name={t('deploymentsTile')}
        value={of(ready, status.deployments.length)}
        note={t('modelsHeld', { count: format.count(held) })}
      />
      <Tile
        to="/usage"
        name={t('requestsTile')}
        value={format.count(status.usage.requests24h)}
        note={t('errors', { count: format.count(status.usage.errors24h) })}
      />
      <Tile
        to="/usage"
        name={t('tokensTile')}
        value={format.count(status.usage.completionTokens24h)}
        note={t('tokensNote')}
      />
    </div>
  )
}
