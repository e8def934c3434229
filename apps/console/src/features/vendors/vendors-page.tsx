import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { fleetSummaryQuery, vendorsQuery } from '../../shared/api/queries.ts'
import type { FleetSummary, Vendor } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { StateCounts } from '../../shared/fleet/state-bar.tsx'
import { withFilter } from '../../shared/search.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { TextFilter } from '../../shared/ui/filters.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import type { Sheet } from './api.ts'
import { vendorsSearch } from './search.ts'
import './vendors.css'
import { vendorMessages } from './vendors.messages.ts'

const csvColumns: readonly CsvColumn<{
  readonly vendor: Vendor
  readonly sheet: Sheet
  readonly peak: Sheet['peaks'][number]
}>[] = [
  ['vendor', ({ vendor }) => vendor.name],
  ['domestic', ({ vendor }) => vendor.domestic],
  ['layout_verified', ({ vendor }) => vendor.layoutVerified],
  ['product', ({ sheet }) => sheet.product],
  ['dtype', ({ peak }) => peak.dtype],
  ['teraops', ({ peak }) => peak.teraops],
  ['sparse', ({ peak }) => peak.sparse],
  ['bandwidth_bytes_per_second', ({ sheet }) => sheet.bandwidthBytesPerSecond],
  ['confidence', ({ sheet }) => sheet.confidence],
  ['source', ({ sheet }) => sheet.source],
  ['overridden', ({ sheet }) => sheet.overridden],
]

/** Chips of a vendor by state, the real and the simulated apart. */
export function ChipsHere({
  vendor,
  summary,
}: {
  readonly vendor: string
  readonly summary: FleetSummary | undefined
}) {
  const t = useText(vendorMessages)
  const rows = (summary?.byVendor ?? []).filter((row) => row.vendor === vendor)
  if (rows.length === 0) return <span className="muted">{t('noneHere')}</span>
  return (
    <ul className="chips-here">
      {rows.map((row) => (
        <li key={String(row.simulated)} className="row">
          {row.simulated ? <StateMark state="simulated" /> : null}
          <StateCounts states={row.states} />
        </li>
      ))}
    </ul>
  )
}

export function LayoutMark({ verified }: { readonly verified: boolean }) {
  const t = useText(vendorMessages)
  return <StateMark state={verified ? 'healthy' : 'degraded'} label={t(verified ? 'verified' : 'unverified')} />
}

export function useOrigin(): (domestic: boolean | null) => string {
  const t = useText(vendorMessages)
  return (domestic) => (domestic === null ? t('originUnknown') : t(domestic ? 'domestic' : 'foreign'))
}

function Table({ vendors }: { readonly vendors: readonly Vendor[] }) {
  const t = useText(vendorMessages)
  const format = useFormat()
  const origin = useOrigin()
  const summary = useQuery(fleetSummaryQuery).data
  const here = (name: string) =>
    (summary?.byVendor ?? [])
      .filter((row) => row.vendor === name)
      .reduce((sum, row) => sum + Object.values(row.states).reduce((all, count) => all + count, 0), 0)
  // What stands in the fleet comes first: that is what a reader looks for.
  const rows = vendors.toSorted((a, b) => here(b.name) - here(a.name) || a.name.localeCompare(b.name))
  return (
    <DataTable
      caption={t('title')}
      rows={rows}
      rowKey={(vendor) => vendor.name}
      columns={[
        {
          key: 'vendor',
          title: t('vendor'),
          sortBy: (vendor) => vendor.name,
          render: (vendor) => (
            <>
              <Link to="/vendors/$vendorName" params={{ vendorName: vendor.name }} className="strong">
                {vendor.name}
              </Link>
              <div className="small muted">{origin(vendor.domestic)}</div>
            </>
          ),
        },
        {
          key: 'here',
          title: t('here'),
          sortBy: (vendor) => here(vendor.name),
          render: (vendor) => <ChipsHere vendor={vendor.name} summary={summary} />,
        },
        {
          key: 'layout',
          title: t('layout'),
          sortBy: (vendor) => Number(vendor.layoutVerified),
          render: (vendor) => <LayoutMark verified={vendor.layoutVerified} />,
        },
        {
          key: 'found',
          title: t('found'),
          render: (vendor) => <code>{vendor.pciVendorIds.join(', ') || '—'}</code>,
        },
        {
          key: 'launched',
          title: t('launched'),
          render: (vendor) => (
            <code>
              {[vendor.torchDevice, vendor.collectiveLibrary].filter((part) => part !== null).join(' · ') || '—'}
            </code>
          ),
        },
        {
          key: 'products',
          title: t('products'),
          align: 'right',
          sortBy: (vendor) => vendor.sheets.length,
          render: (vendor) => format.count(vendor.sheets.length),
        },
      ]}
    />
  )
}

export function VendorsPage() {
  const t = useText(vendorMessages)
  const navigate = useNavigate()
  const search = vendorsSearch(useSearch({ from: '/shell/vendors' }))
  const vendors = useQuery(vendorsQuery)
  const text = search.q?.toLowerCase() ?? ''
  const matches = (vendor: Vendor) =>
    [vendor.name, ...vendor.sheets.map(({ product }) => product)].some((name) => name.toLowerCase().includes(text))
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} />
      <section className="panel" aria-label={t('title')}>
        <header>
          <div className="filter-bar">
            <TextFilter
              label={t('search')}
              value={search.q}
              onChange={(value) => void navigate({ to: '/vendors', search: withFilter(search, 'q', value) })}
            />
          </div>
          <ExportButton
            fileName="medley-sheets.csv"
            columns={csvColumns}
            collect={() =>
              (vendors.data?.items ?? [])
                .filter(matches)
                .flatMap((vendor) =>
                  vendor.sheets.flatMap((sheet) => sheet.peaks.map((peak) => ({ vendor, sheet, peak }))),
                )
            }
          />
        </header>
        <QueryView query={vendors}>
          {(page) => {
            const found = page.items.filter(matches)
            return found.length === 0 ? (
              <Empty title={t('noMatch', { text: search.q ?? '' })} action={<Link to="/vendors">{t('clear')}</Link>}>
                {t('noMatchNext')}
              </Empty>
            ) : (
              <Table vendors={found} />
            )
          }}
        </QueryView>
      </section>
    </>
  )
}
