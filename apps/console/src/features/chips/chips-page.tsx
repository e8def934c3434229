import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import { fleetSummaryQuery } from '../../shared/api/queries.ts'
import type { Chip } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { withFilter } from '../../shared/search.ts'
import { chipStates, useChipStateWord } from '../../shared/ui/chip-state.tsx'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { ChoiceFilter, TextFilter } from '../../shared/ui/filters.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import './chips.css'
import { chipMessages } from './chips.messages.ts'
import { useChipColumns } from './columns.tsx'
import { standingMessages } from './readings.messages.ts'
import { type ChipsSearch, chipsSearch } from './search.ts'

const csvColumns: readonly CsvColumn<Chip>[] = [
  ['chip_id', (chip) => chip.id],
  ['uuid', (chip) => chip.facts.uuid],
  ['serial', (chip) => chip.facts.serial],
  ['vendor', (chip) => chip.facts.vendor],
  ['product', (chip) => chip.facts.product],
  ['node', (chip) => chip.nodeName],
  ['rack', (chip) => chip.place.rack],
  ['state', (chip) => chip.state],
  ['state_since', (chip) => chip.stateSince],
  ['quarantined', (chip) => chip.quarantine !== null],
  ['usable', (chip) => chip.usable],
  ['simulated', (chip) => chip.facts.simulated],
  ['utilization_ratio', (chip) => chip.facts.utilizationRatio],
  ['temperature_celsius', (chip) => chip.facts.temperatureCelsius],
  ['power_watts', (chip) => chip.facts.powerWatts],
  ['memory_total_bytes', (chip) => chip.facts.memoryTotalBytes],
  ['memory_used_bytes', (chip) => chip.facts.memoryUsedBytes],
  ['driver_version', (chip) => chip.facts.driverVersion],
  ['prefill_score', (chip) => chip.score.axes.prefill?.score ?? null],
  ['decode_score', (chip) => chip.score.axes.decode?.score ?? null],
]

function Filters({ search }: { readonly search: ChipsSearch }) {
  const t = useText(standingMessages)
  const word = useChipStateWord()
  const navigate = useNavigate()
  const summary = useQuery(fleetSummaryQuery).data
  const vendors = [...new Set(summary?.byVendor.map(({ vendor }) => vendor) ?? [])].sort()
  const set = (name: keyof ChipsSearch, value: string) =>
    void navigate({ to: '/chips', search: withFilter(search, name, value) })
  const fixed = [
    { name: 'rack' as const, label: search.rack === undefined ? null : t('rack', { name: search.rack }) },
    { name: 'node' as const, label: search.node === undefined ? null : t('node', { name: search.node }) },
  ]
  return (
    <div className="filter-bar">
      <TextFilter label={t('filter')} value={search.q} onChange={(value) => set('q', value)} />
      <ChoiceFilter
        label={t('vendor')}
        value={search.vendor}
        any={t('anyVendor')}
        choices={vendors.map((vendor) => ({ value: vendor, label: vendor }))}
        onChange={(value) => set('vendor', value)}
      />
      <ChoiceFilter
        label={t('state')}
        value={search.state}
        any={t('anyState')}
        choices={chipStates.map((state) => ({ value: state, label: word(state) }))}
        onChange={(value) => set('state', value)}
      />
      <ChoiceFilter
        label={t('kind')}
        value={search.simulated}
        any={t('anyKind')}
        choices={[
          { value: 'false', label: t('real') },
          { value: 'true', label: t('simulated') },
        ]}
        onChange={(value) => set('simulated', value)}
      />
      {fixed.map(({ name, label }) =>
        label === null ? null : (
          <Link key={name} to="/chips" search={withFilter(search, name, '')} className="filter-chip">
            {label} <span aria-hidden="true">✕</span>
            <span className="vh">{t('removeFilter')}</span>
          </Link>
        ),
      )}
    </div>
  )
}

function NoChips({ filtered }: { readonly filtered: boolean }) {
  const t = useText(chipMessages)
  const s = useText(standingMessages)
  if (filtered) {
    return (
      <Empty title={s('noMatch')} action={<Link to="/chips">{s('clear')}</Link>}>
        {s('noMatchNext')}
      </Empty>
    )
  }
  return (
    <Empty title={t('none')} action={<CopyBlock label={t('doctor')} text="npx medley doctor" />}>
      {t('noneNext')}
    </Empty>
  )
}

export function ChipsPage() {
  const t = useText(chipMessages)
  const search = chipsSearch(useSearch({ from: '/shell/chips' }))
  const chips = usePages<Chip>(['chips', 'list'], '/api/v1/chips', search)
  const columns = useChipColumns()
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} />
      <section className="panel" aria-label={t('title')}>
        <header>
          <Filters search={search} />
          <ExportButton
            fileName="medley-chips.csv"
            columns={csvColumns}
            collect={(onProgress) => collectPages<Chip>('/api/v1/chips', search, onProgress)}
          />
        </header>
        <QueryView query={chips.query}>
          {() =>
            chips.rows.length === 0 ? (
              <NoChips filtered={Object.keys(search).length > 0} />
            ) : (
              <>
                <DataTable
                  caption={t('title')}
                  columns={columns}
                  rows={chips.rows}
                  rowKey={(chip) => chip.id}
                  hatched={(chip) => chip.facts.simulated}
                  rowPixels={72}
                />
                <LoadMore pages={chips} />
              </>
            )
          }
        </QueryView>
      </section>
    </>
  )
}
