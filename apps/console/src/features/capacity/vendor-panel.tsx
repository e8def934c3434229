import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Capacity } from '../../shared/api/types.ts'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { capacityMessages } from './capacity.messages.ts'
import { type Figure, figureOf, figureRows, type VendorRow, widest } from './figures.ts'

/** Nominal as the outline, effective as the filling, both from zero; hatched where simulated. */
function SupplyBar({ figure, full, simulated }: { figure: Figure; full: number; simulated: boolean }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  const share = (value: number) => `${full === 0 ? 0 : (value / full) * 100}%`
  const petaflops = (value: number) => format.measure(value, 'P')
  const effective = figure.effective === null ? t('notMeasured') : petaflops(figure.effective)
  return (
    <div className="supply">
      <div className="supply-track" role="img" aria-label={t('bar', { nominal: petaflops(figure.nominal), effective })}>
        <span className={simulated ? 'nominal hatch' : 'nominal'} style={{ width: share(figure.nominal) }} />
        {figure.effective === null ? null : <span className="effective" style={{ width: share(figure.effective) }} />}
      </div>
      <span className="small">
        {t('nominal')} {petaflops(figure.nominal)} · {t('effective')} {effective}
        {figure.effective === null || figure.nominal === 0 ? null : (
          <span className="muted">
            {' '}
            ({t('ofNominal', { share: format.percent(figure.effective / figure.nominal) })})
          </span>
        )}
      </span>
    </div>
  )
}

function useColumns(capacity: Capacity, full: number): readonly Column<VendorRow>[] {
  const t = useText(capacityMessages)
  const format = useFormat()
  const { dtype, sparse } = capacity.assumption
  return [
    {
      key: 'vendor',
      title: t('vendor'),
      sortBy: (row) => row.vendor,
      render: (row) => (
        <>
          <Link to="/vendors/$vendorName" params={{ vendorName: row.vendor }} className="strong">
            {row.vendor}
          </Link>{' '}
          {row.simulated ? <StateMark state="simulated" /> : null}
          <div className="small muted">{row.products.join(', ')}</div>
        </>
      ),
    },
    {
      key: 'chips',
      title: t('chips'),
      align: 'right',
      sortBy: (row) => row.chips,
      render: (row) => (
        <>
          <span className="num">{format.count(row.chips)}</span>
          {row.chipsWithoutSheet === 0 ? null : (
            <div className="small degraded-text">
              {t('withoutSheet', { count: format.count(row.chipsWithoutSheet) })}
            </div>
          )}
        </>
      ),
    },
    {
      key: 'figures',
      title: t('figures'),
      width: '52%',
      sortBy: (row) => figureOf(row, dtype, sparse)?.nominal ?? null,
      render: (row) => {
        const figure = figureOf(row, dtype, sparse)
        return figure === null ? (
          <Unknown reason={t('noFigure')} />
        ) : (
          <SupplyBar figure={figure} full={full} simulated={row.simulated} />
        )
      },
    },
    {
      key: 'confidence',
      title: t('confidence'),
      render: (row) => {
        const level = figureOf(row, dtype, sparse)?.confidence
        if (level === undefined) return null
        const state = level === 'high' ? 'healthy' : level === 'medium' ? 'waiting' : 'degraded'
        return <StateMark state={state} label={t(level)} />
      },
    },
  ]
}

function AllTypes({ capacity }: { readonly capacity: Capacity }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  return (
    <details className="quiet-details supply-all">
      <summary>{t('allTypes')}</summary>
      <DataTable
        caption={t('allTypes')}
        rows={figureRows(capacity)}
        rowKey={({ row, figure }) => `${row.vendor} ${row.simulated} ${figure.dtype} ${figure.sparse}`}
        hatched={({ row }) => row.simulated}
        columns={[
          {
            key: 'vendor',
            title: t('vendor'),
            sortBy: ({ row }) => row.vendor,
            render: ({ row }) => (
              <span className="row">
                {row.vendor} {row.simulated ? <StateMark state="simulated" /> : null}
              </span>
            ),
          },
          {
            key: 'dtype',
            title: t('dtype'),
            sortBy: ({ figure }) => figure.dtype,
            render: ({ figure }) => (
              <>
                <code>{figure.dtype}</code> {t(figure.sparse ? 'sparse' : 'dense')}
              </>
            ),
          },
          {
            key: 'nominal',
            title: t('nominal'),
            align: 'right',
            sortBy: ({ figure }) => figure.nominal,
            render: ({ figure }) => format.measure(figure.nominal, 'P'),
          },
          {
            key: 'effective',
            title: t('effective'),
            align: 'right',
            sortBy: ({ figure }) => figure.effective,
            render: ({ figure }) =>
              figure.effective === null ? <Unknown reason={t('noEffective')} /> : format.measure(figure.effective, 'P'),
          },
        ]}
      />
    </details>
  )
}

/** Nominal against effective by vendor; the simulated stand apart and count in nothing. */
export function VendorPanel({ capacity }: { readonly capacity: Capacity }) {
  const t = useText(capacityMessages)
  const { dtype, sparse } = capacity.assumption
  const full = widest(capacity.byVendor, dtype, sparse)
  const columns = useColumns(capacity, full)
  const real = capacity.byVendor.filter((row) => !row.simulated)
  const simulated = capacity.byVendor.filter((row) => row.simulated)
  return (
    <Panel title={t('byVendor')} flush>
      {real.length === 0 ? null : (
        <DataTable caption={t('byVendor')} rows={real} rowKey={(row) => row.vendor} columns={columns} />
      )}
      {simulated.length === 0 ? null : (
        <>
          <h3 className="supply-apart">
            <StateMark state="simulated" label={t('simulatedApart')} />
          </h3>
          <DataTable
            caption={t('simulatedApart')}
            rows={simulated}
            rowKey={(row) => row.vendor}
            columns={columns}
            hatched={() => true}
          />
        </>
      )}
      <AllTypes capacity={capacity} />
    </Panel>
  )
}
