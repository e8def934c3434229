import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Capacity } from '../../shared/api/types.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { capacityMessages } from './capacity.messages.ts'
import { NominalCell } from './nominal-cell.tsx'

/** How far the domestic chips carry the load, and why some of them stand idle. */
export function DomesticPanel({ capacity }: { readonly capacity: Capacity }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  const { domestic } = capacity
  const share = (value: number | null) =>
    value === null ? <Unknown reason={t('nothingUsed')} /> : <strong className="num">{format.percent(value)}</strong>
  const idle = domestic.idle.filter(({ chips }) => chips > 0)
  return (
    <Panel title={t('domestic')} flush>
      <div className="domestic">
        <FactList
          facts={[
            { name: t('ofChips'), value: share(domestic.ofChips) },
            { name: t('ofCardHours'), value: share(domestic.ofCardHours) },
            { name: t('ofTokens'), value: share(domestic.ofTokens) },
          ]}
        />
      </div>
      <h3 className="supply-apart">{t('idle')}</h3>
      {idle.length === 0 ? (
        <p className="line muted">{t('noIdle')}</p>
      ) : (
        <DataTable
          caption={t('idle')}
          rows={idle}
          rowKey={(row) => row.cause}
          columns={[
            { key: 'cause', title: t('cause'), render: (row) => t(row.cause) },
            {
              key: 'chips',
              title: t('chips'),
              align: 'right',
              sortBy: (row) => row.chips,
              render: (row) => format.count(row.chips),
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
      )}
    </Panel>
  )
}
