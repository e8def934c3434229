import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { FleetCell } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { fleetMessages } from './fleet.messages.ts'
import type { GroupBy } from './map-layout.ts'
import { figuresBy, type GroupFigures } from './standing.ts'

const cellColumns: readonly CsvColumn<FleetCell>[] = [
  ['chip_id', (cell) => cell.chipId],
  ['node', (cell) => cell.nodeName],
  ['rack', (cell) => cell.rack],
  ['vendor', (cell) => cell.vendor],
  ['product', (cell) => cell.product],
  ['state', (cell) => cell.state],
  ['quarantined', (cell) => cell.quarantined],
  ['simulated', (cell) => cell.simulated],
  ['utilization_ratio', (cell) => cell.utilizationRatio],
  ['temperature_celsius', (cell) => cell.temperatureCelsius],
  ['driver_version', (cell) => cell.driverVersion],
]

function useColumns(by: GroupBy): readonly Column<GroupFigures>[] {
  const t = useText(fleetMessages)
  const format = useFormat()
  const count = (
    key: 'nodes' | 'chips' | 'usable' | 'busy' | 'sick' | 'unknown' | 'simulated',
    title: string,
  ): Column<GroupFigures> => ({
    key,
    title,
    align: 'right',
    sortBy: (row) => row[key],
    render: (row) => format.count(row[key]),
  })
  return [
    {
      key: 'group',
      title: t(by),
      sortBy: (row) => row.key,
      render: ({ key }) =>
        key === null ? (
          t('noRack')
        ) : (
          <Link to="/chips" search={by === 'rack' ? { rack: key } : { vendor: key }} className="strong">
            {key}
          </Link>
        ),
    },
    count('nodes', t('nodes')),
    count('chips', t('chips')),
    count('usable', t('usable')),
    count('busy', t('busy')),
    count('sick', t('sick')),
    count('unknown', t('unknown')),
    count('simulated', t('simulated')),
    {
      key: 'mean',
      title: t('meanUtilization'),
      align: 'right',
      sortBy: (row) => row.utilizationRatio,
      render: (row) =>
        row.utilizationRatio === null ? (
          <Unknown reason={t('notReported')} />
        ) : (
          <span className="num">{format.percent(row.utilizationRatio)}</span>
        ),
    },
  ]
}

/** The map in figures, for those who cannot see it and for spreadsheets. */
export function GroupTable({ cells, by }: { readonly cells: readonly FleetCell[]; readonly by: GroupBy }) {
  const t = useText(fleetMessages)
  const columns = useColumns(by)
  const rows = figuresBy(cells, (cell) => (by === 'rack' ? cell.rack : cell.vendor))
  return (
    <details className="map-table quiet-details">
      <summary>{t('table')}</summary>
      <div className="row between map-table-head">
        <span className="small muted">{t('busyNote')}</span>
        <ExportButton size="small" fileName="medley-fleet.csv" columns={cellColumns} collect={() => cells} />
      </div>
      <DataTable caption={t('groupTable')} columns={columns} rows={rows} rowKey={(row) => row.key ?? ''} />
    </details>
  )
}
