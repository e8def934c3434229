import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { chipsQuery } from '../../shared/api/queries.ts'
import type { Chip } from '../../shared/api/types.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { ScoreRuler } from '../../shared/ui/score-ruler.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import './chips.css'
import { chipMessages } from './chips.messages.ts'

function AxisCell({ chip, event }: { readonly chip: Chip; readonly event: 'prefill' | 'decode' }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const axis = chip.score.axes[event]
  const why = axis?.reasons[0]
  return (
    <ScoreRuler
      name={t(event)}
      score={axis?.score ?? null}
      low={axis?.low ?? null}
      high={axis?.high ?? null}
      reason={why === undefined ? t('notMeasured') : sentence(why)}
      {...(axis === undefined ? {} : { recordId: axis.recordId })}
    />
  )
}

function useColumns(): readonly Column<Chip>[] {
  const t = useText(chipMessages)
  const format = useFormat()
  return [
    {
      key: 'chip',
      title: t('chip'),
      sortBy: (chip) => chip.facts.product,
      render: (chip) => (
        <>
          <Link to="/chips/$chipId" params={{ chipId: chip.id }} className="strong">
            {chip.facts.product}
          </Link>
          <div className="small muted">{chip.nodeName}</div>
        </>
      ),
    },
    {
      key: 'health',
      title: t('health'),
      sortBy: (chip) => chip.facts.health,
      render: (chip) => (
        <span className="row">
          <StateMark state={stateOf(chip.facts.health)} />
          {chip.facts.simulated ? <StateMark state="simulated" /> : null}
        </span>
      ),
    },
    {
      key: 'prefill',
      title: t('prefill'),
      width: '22%',
      sortBy: (chip) => chip.score.axes.prefill?.score ?? null,
      render: (chip) => <AxisCell chip={chip} event="prefill" />,
    },
    {
      key: 'decode',
      title: t('decode'),
      width: '22%',
      sortBy: (chip) => chip.score.axes.decode?.score ?? null,
      render: (chip) => <AxisCell chip={chip} event="decode" />,
    },
    {
      key: 'memory',
      title: t('memory'),
      align: 'right',
      sortBy: (chip) => chip.facts.memoryTotalBytes,
      render: ({ facts }) =>
        facts.memoryTotalBytes === null ? (
          <Unknown reason={t('notReported')} />
        ) : (
          <span className="num">{format.bytes(facts.memoryTotalBytes)}</span>
        ),
    },
    {
      key: 'runs',
      title: t('runs'),
      render: (chip) =>
        chip.deployments.length === 0 ? (
          <span className="muted">{t('nothingRuns')}</span>
        ) : (
          chip.deployments.map(({ id, name }) => (
            <Link key={id} to="/deployments/$deploymentId" params={{ deploymentId: id }}>
              {name}
            </Link>
          ))
        ),
    },
  ]
}

export function ChipsPage() {
  const t = useText(chipMessages)
  const chips = useQuery(chipsQuery)
  const columns = useColumns()
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} />
      <div className="panel">
        <QueryView query={chips}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={t('none')} action={<CopyBlock label={t('doctor')} text="npx medley doctor" />}>
                {t('noneNext')}
              </Empty>
            ) : (
              <DataTable
                caption={t('title')}
                columns={columns}
                rows={page.items}
                rowKey={(chip) => chip.id}
                hatched={(chip) => chip.facts.simulated}
              />
            )
          }
        </QueryView>
      </div>
    </>
  )
}
