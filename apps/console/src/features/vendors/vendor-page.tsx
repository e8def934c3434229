import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Button } from 'antd'
import { useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { fleetSummaryQuery } from '../../shared/api/queries.ts'
import type { Vendor } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { resetSheet, type Sheet, vendorQuery } from './api.ts'
import { SheetDialog } from './sheet-dialog.tsx'
import { Confidence, Peaks, Source } from './sheet-parts.tsx'
import './vendors.css'
import { vendorMessages } from './vendors.messages.ts'
import { ChipsHere, LayoutMark, useOrigin } from './vendors-page.tsx'

function HowPanel({ vendor }: { readonly vendor: Vendor }) {
  const t = useText(vendorMessages)
  const origin = useOrigin()
  const known = (value: string | null) => (value === null ? <Unknown reason={t('notKnown')} /> : <code>{value}</code>)
  const list = (values: readonly string[]) => known(values.length === 0 ? null : values.join(', '))
  return (
    <Panel title={t('how')}>
      <FactList
        facts={[
          { name: t('found'), value: list(vendor.pciVendorIds) },
          { name: t('torch'), value: known(vendor.torchDevice) },
          { name: t('library'), value: known(vendor.collectiveLibrary) },
          { name: t('origin'), value: origin(vendor.domestic) },
          { name: t('resources'), value: list(vendor.kubernetesResources), wide: true },
        ]}
      />
    </Panel>
  )
}

function SheetsPanel({ vendor }: { readonly vendor: Vendor }) {
  const t = useText(vendorMessages)
  const format = useFormat()
  const queryClient = useQueryClient()
  const mayChange = useMay('supply:write')
  const [editing, setEditing] = useState<Sheet | 'new' | null>(null)
  const reset = useMutation({
    mutationFn: (product: string) => resetSheet(vendor.name, product),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['vendors'] }),
  })
  const add = mayChange ? (
    <Button size="small" onClick={() => setEditing('new')}>
      {t('override')}
    </Button>
  ) : null
  return (
    <Panel title={t('sheets')} flush extra={add}>
      {reset.isError ? <ProblemNote error={reset.error} /> : null}
      {vendor.sheets.length === 0 ? (
        <Empty title={t('noSheets')}>{t('noSheetsNext')}</Empty>
      ) : (
        <DataTable
          caption={t('sheets')}
          rows={vendor.sheets}
          rowKey={(sheet) => sheet.product}
          columns={[
            {
              key: 'product',
              title: t('product'),
              sortBy: (sheet) => sheet.product,
              render: (sheet) => (
                <>
                  <span className="strong">{sheet.product}</span>
                  {sheet.overridden ? <div className="small muted">{t('overridden')}</div> : null}
                </>
              ),
            },
            { key: 'peaks', title: t('peaks'), render: (sheet) => <Peaks peaks={sheet.peaks} /> },
            {
              key: 'bandwidth',
              title: t('bandwidth'),
              align: 'right',
              sortBy: (sheet) => sheet.bandwidthBytesPerSecond,
              render: (sheet) =>
                sheet.bandwidthBytesPerSecond === null ? (
                  <Unknown reason={t('notKnown')} />
                ) : (
                  format.rate(sheet.bandwidthBytesPerSecond, 'B/s')
                ),
            },
            {
              key: 'confidence',
              title: t('confidence'),
              sortBy: (sheet) => ['low', 'medium', 'high'].indexOf(sheet.confidence),
              render: (sheet) => <Confidence level={sheet.confidence} />,
            },
            { key: 'source', title: t('source'), render: (sheet) => <Source text={sheet.source} /> },
            {
              key: 'action',
              title: t('action'),
              align: 'right',
              render: (sheet) =>
                mayChange ? (
                  <span className="row sheet-actions">
                    <Button size="small" onClick={() => setEditing(sheet)}>
                      {t('edit')}
                      <span className="vh"> {sheet.product}</span>
                    </Button>
                    {sheet.overridden ? (
                      <Button
                        size="small"
                        loading={reset.isPending && reset.variables === sheet.product}
                        onClick={() => reset.mutate(sheet.product)}
                      >
                        {t('reset')}
                        <span className="vh"> {sheet.product}</span>
                      </Button>
                    ) : null}
                  </span>
                ) : null,
            },
          ]}
        />
      )}
      {editing === null ? null : (
        <SheetDialog vendor={vendor.name} sheet={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
    </Panel>
  )
}

function Content({ vendor }: { readonly vendor: Vendor }) {
  const t = useText(vendorMessages)
  const summary = useQuery(fleetSummaryQuery).data
  return (
    <>
      <PageHead
        crumb={
          <Link to="/vendors" className="crumb">
            {t('title')}
          </Link>
        }
        title={vendor.name}
        state={<LayoutMark verified={vendor.layoutVerified} />}
        action={
          <Link to="/chips" search={{ vendor: vendor.name }}>
            {t('chips')}
          </Link>
        }
      />
      <div className="stack">
        {vendor.layoutVerified ? null : <p className="vendor-note">{t('unverifiedWhy')}</p>}
        <div className="columns">
          <HowPanel vendor={vendor} />
          <Panel title={t('here')}>
            <ChipsHere vendor={vendor.name} summary={summary} />
          </Panel>
        </div>
        <SheetsPanel vendor={vendor} />
      </div>
    </>
  )
}

export function VendorPage() {
  const t = useText(vendorMessages)
  const { vendorName } = useParams({ from: '/shell/vendors/$vendorName' })
  const vendor = useQuery(vendorQuery(vendorName))
  return (
    <QueryView query={vendor} title={t('vendor')}>
      {(data) => <Content vendor={data} />}
    </QueryView>
  )
}
