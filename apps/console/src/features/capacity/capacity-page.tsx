import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Select } from 'antd'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import type { Capacity } from '../../shared/api/types.ts'
import { withFilter } from '../../shared/search.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { FigureTile } from '../../shared/ui/figure-tile.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { capacityQuery } from './api.ts'
import './capacity.css'
import { capacityMessages } from './capacity.messages.ts'
import { DomesticPanel } from './domestic-panel.tsx'
import { dtypesOf, figureColumns, figureRows } from './figures.ts'
import { HistoryPanel } from './history-panel.tsx'
import { type CapacitySearch, capacitySearch } from './search.ts'
import { StatePanel } from './state-panel.tsx'
import { VendorPanel } from './vendor-panel.tsx'

const confidenceMarks = { high: 'healthy', medium: 'waiting', low: 'degraded' } as const

/** The headline with what it rests on beside it, never alone. */
function Headline({ capacity }: { readonly capacity: Capacity }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  const { locale } = useLocale()
  const { headline, assumption } = capacity
  const petaflops = (value: number) => format.measure(value, 'P')
  return (
    <section className="panel headline" aria-label={t('title')}>
      <div className="figures-row">
        <FigureTile
          name={t('nominal')}
          value={headline === null ? <Unknown reason={t('noHeadline')} /> : petaflops(headline.nominal)}
          note={
            <>
              <code>{assumption.dtype}</code> · {t(assumption.sparse ? 'sparse' : 'dense')}
            </>
          }
        />
        <FigureTile
          name={t('effective')}
          value={
            headline === null || headline.effective === null ? (
              <Unknown reason={t(headline === null ? 'noHeadline' : 'noEffective')} />
            ) : (
              petaflops(headline.effective)
            )
          }
          note={headline === null ? t('noHeadline') : t('measured', { share: format.percent(headline.measuredShare) })}
        />
        <FigureTile
          name={t('confidence')}
          value={
            headline === null ? (
              <Unknown reason={t('noHeadline')} />
            ) : (
              <StateMark state={confidenceMarks[headline.confidence]} label={t(headline.confidence)} />
            )
          }
          note={<Link to="/vendors">{t('toVendors')}</Link>}
        />
      </div>
      <p className="assumption small">
        <span className="muted">{t('assumption')}: </span>
        {assumption.text[locale]}
        {headline?.confidence === 'low' ? <span className="muted"> {t('lowWhy')}</span> : null}
      </p>
    </section>
  )
}

function Content({ capacity, search }: { readonly capacity: Capacity; readonly search: CapacitySearch }) {
  const t = useText(capacityMessages)
  if (capacity.byVendor.length === 0) {
    return (
      <div className="panel">
        <Empty title={t('none')} action={<Link to="/nodes">{t('toNodes')}</Link>}>
          {t('noneNext')}
        </Empty>
      </div>
    )
  }
  return (
    <div className="stack">
      <Headline capacity={capacity} />
      <VendorPanel capacity={capacity} />
      <HistoryPanel search={search} />
      <div className="columns even">
        <StatePanel capacity={capacity} />
        <DomesticPanel capacity={capacity} />
      </div>
    </div>
  )
}

export function CapacityPage() {
  const t = useText(capacityMessages)
  const navigate = useNavigate()
  const search = capacitySearch(useSearch({ from: '/shell/capacity' }))
  const capacity = useQuery(capacityQuery(search.dtype))
  const known = capacity.data
  return (
    <>
      <PageHead
        title={t('title')}
        sub={
          <>
            {t('sub')}{' '}
            {known === undefined ? null : (
              <span className="small">
                {t('asOf')} <When iso={known.at} />
              </span>
            )}
          </>
        }
        action={
          known === undefined ? null : (
            <>
              <Select
                aria-label={t('dtype')}
                value={known.assumption.dtype}
                options={dtypesOf(known).map((dtype) => ({ value: dtype, label: dtype }))}
                onChange={(dtype: string) =>
                  void navigate({ to: '/capacity', search: withFilter(search, 'dtype', dtype) })
                }
                popupMatchSelectWidth={false}
              />
              <ExportButton fileName="medley-supply.csv" columns={figureColumns} collect={() => figureRows(known)} />
            </>
          )
        }
      />
      <QueryView query={capacity}>{(data) => <Content capacity={data} search={search} />}</QueryView>
    </>
  )
}
