import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Capacity } from '../../shared/api/types.ts'
import { ChipStateMark } from '../../shared/ui/chip-state.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { capacityMessages } from './capacity.messages.ts'
import { NominalCell } from './nominal-cell.tsx'

export function StatePanel({ capacity }: { readonly capacity: Capacity }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  const rows = capacity.byState.filter(({ chips }) => chips > 0)
  return (
    <Panel title={t('byState')} flush>
      <DataTable
        caption={t('byState')}
        rows={rows}
        rowKey={(row) => row.state}
        columns={[
          { key: 'state', title: t('state'), render: (row) => <ChipStateMark state={row.state} /> },
          {
            key: 'chips',
            title: t('chips'),
            align: 'right',
            sortBy: (row) => row.chips,
            render: (row) => (
              <Link to="/chips" search={{ state: row.state, simulated: 'false' }}>
                {format.count(row.chips)}
              </Link>
            ),
          },
          {
            key: 'nominal',
            title: t('nominal'),
            align: 'right',
            sortBy: (row) => row.nominal,
            render: (row) => <NominalCell nominal={row.nominal} />,
          },
        ]}
      />
    </Panel>
  )
}
