import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import type { Chip } from '../../shared/api/types.ts'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { chipQuery } from './api.ts'
import { ChipFactsPanel } from './chip-facts.tsx'
import './chips.css'
import { chipMessages } from './chips.messages.ts'
import { ProveControl, ProveNote, useProving } from './prove.tsx'
import { RecordsPanel } from './records-panel.tsx'
import { ScoresPanel } from './scores-panel.tsx'

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

function Content({ chip }: { readonly chip: Chip }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const proving = useProving(chip.id)
  const measured = Object.keys(chip.score.axes).length > 0
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
          <>
            <StateMark state={stateOf(chip.facts.health)} />
            {chip.facts.simulated ? <StateMark state="simulated" /> : null}
          </>
        }
        sub={
          <>
            {chip.nodeName} · {t('seen')} <When iso={chip.lastSeenAt} />
          </>
        }
        action={<ProveControl proving={proving} label={measured ? t('proveAgain') : t('prove')} />}
      />
      <div className="stack">
        {chip.facts.healthReasons.length === 0 ? null : (
          <ul className="reasons">
            {chip.facts.healthReasons.map((reason) => (
              <li key={reason.code} className="row">
                <StateMark state={stateOf(chip.facts.health)} shapeOnly />
                {sentence(reason)}
              </li>
            ))}
          </ul>
        )}
        <ProveNote proving={proving} />
        <ScoresPanel chip={chip} />
        <div className="columns">
          <div className="stack">
            <ChipFactsPanel facts={chip.facts} />
          </div>
          <div className="stack">
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
