import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Chip } from '../../shared/api/types.ts'
import { ChipStateMark } from '../../shared/ui/chip-state.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { chipQuery } from './api.ts'
import { ChipFactsPanel } from './chip-facts.tsx'
import './chips.css'
import { chipMessages } from './chips.messages.ts'
import { HistoryPanel } from './history-panel.tsx'
import { ProveControl, ProveNote, useProving } from './prove.tsx'
import { standingMessages } from './readings.messages.ts'
import { ReadingsPanel } from './readings-panel.tsx'
import { RecordsPanel } from './records-panel.tsx'
import { ScoresPanel } from './scores-panel.tsx'
import { chipSearch } from './search.ts'
import { rangeOf } from './series.ts'
import { Evidence, QuarantineControl, RetireControl, UnverifiedNote } from './standing.tsx'

function RunsPanel({ chip }: { readonly chip: Chip }) {
  const t = useText(chipMessages)
  return (
    <Panel title={t('deployments')} flush>
      {chip.deployments.length === 0 ? (
        <p className="line muted">{t('nothingRuns')}</p>
      ) : (
        <ul>
          {chip.deployments.map(({ id, name }) => (
            <li key={id} className="line">
              <Link to="/deployments/$deploymentId" params={{ deploymentId: id }}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function SlicesPanel({ slices }: { readonly slices: NonNullable<Chip['facts']['slices']> }) {
  const t = useText(standingMessages)
  const format = useFormat()
  const known = (value: number | null, show: (value: number) => string) =>
    value === null ? <Unknown reason={t('notReported')} /> : show(value)
  return (
    <Panel title={t('slices')} flush>
      <DataTable
        caption={t('slices')}
        rows={slices}
        rowKey={(slice) => slice.uuid}
        columns={[
          { key: 'profile', title: t('profile'), render: (slice) => <code>{slice.profile}</code> },
          {
            key: 'memory',
            title: t('memory'),
            align: 'right',
            render: (slice) => known(slice.memoryBytes, format.bytes),
          },
          {
            key: 'units',
            title: t('units'),
            align: 'right',
            render: (slice) => known(slice.computeUnits, format.count),
          },
        ]}
      />
    </Panel>
  )
}

function Content({ chip }: { readonly chip: Chip }) {
  const t = useText(chipMessages)
  const proving = useProving(chip.id)
  const { range } = chipSearch(useSearch({ from: '/shell/chips/$chipId' }))
  const measured = Object.keys(chip.score.axes).length > 0
  const slices = chip.facts.slices ?? []
  return (
    <>
      <PageHead
        crumb={
          <Link to="/chips" className="crumb">
            {t('title')}
          </Link>
        }
        title={chip.facts.product}
        state={
          <span className="row chip-marks">
            <ChipStateMark state={chip.state} quarantined={chip.quarantine !== null} simulated={chip.facts.simulated} />
            <UnverifiedNote vendor={chip.facts.vendor} />
          </span>
        }
        sub={
          <>
            <Link to="/nodes/$nodeId" params={{ nodeId: chip.nodeId }}>
              {chip.nodeName}
            </Link>{' '}
            · {t('seen')} <When iso={chip.lastSeenAt} />
          </>
        }
        action={
          <>
            <RetireControl chip={chip} />
            <QuarantineControl chip={chip} />
            {chip.facts.simulated ? null : (
              <ProveControl proving={proving} label={measured ? t('proveAgain') : t('prove')} />
            )}
          </>
        }
      />
      <div className="stack">
        <Evidence chip={chip} />
        <ProveNote proving={proving} />
        <ReadingsPanel chip={chip} range={rangeOf(range)} />
        <ScoresPanel chip={chip} />
        <div className="columns">
          <div className="stack">
            <ChipFactsPanel facts={chip.facts} />
            {slices.length === 0 ? null : <SlicesPanel slices={slices} />}
          </div>
          <div className="stack">
            <HistoryPanel chipId={chip.id} />
            <RunsPanel chip={chip} />
            <RecordsPanel chipUuid={chip.facts.uuid} />
          </div>
        </div>
      </div>
    </>
  )
}

export function ChipPage() {
  const t = useText(chipMessages)
  const { chipId } = useParams({ from: '/shell/chips/$chipId' })
  const chip = useQuery(chipQuery(chipId))
  return (
    <QueryView query={chip} title={t('chip')}>
      {(data) => <Content chip={data} />}
    </QueryView>
  )
}
