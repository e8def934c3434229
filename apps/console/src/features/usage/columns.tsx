import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { realChipsQuery } from '../../shared/api/queries.ts'
import type { UsageEvent } from '../../shared/api/types.ts'
import type { Column } from '../../shared/ui/data-table.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { usageMessages } from './usage.messages.ts'

/** The way back from an answer: the revision that gave it and the chips it ran on. */
function Lineage({ event }: { readonly event: UsageEvent }) {
  const t = useText(usageMessages)
  const chips = useQuery(realChipsQuery).data?.items ?? []
  if (event.revisionId === null) return <Unknown reason={t('noLineage')} />
  return (
    <span className="lineage">
      <Link to="/revisions/$revisionId" params={{ revisionId: event.revisionId }}>
        {t('revision')}
        <span className="vh"> {event.revisionId}</span>
      </Link>
      {event.chipUuids.map((uuid) => {
        const chip = chips.find((candidate) => candidate.facts.uuid === uuid)
        return chip === undefined ? (
          <Link key={uuid} to="/chips/$chipId" params={{ chipId: uuid }} className="mono">
            {uuid}
          </Link>
        ) : (
          <Link key={uuid} to="/chips/$chipId" params={{ chipId: chip.id }}>
            {chip.facts.product}
          </Link>
        )
      })}
    </span>
  )
}

export function useUsageColumns(): readonly Column<UsageEvent>[] {
  const t = useText(usageMessages)
  const format = useFormat()
  const milliseconds = (value: number | null, reason: string) =>
    value === null ? <Unknown reason={reason} /> : <span className="num">{format.milliseconds(value)}</span>
  return [
    { key: 'when', title: t('when'), render: (event) => <When iso={event.occurredAt} /> },
    {
      key: 'request',
      title: t('request'),
      render: (event) => (
        <>
          <code className="request-id">{event.requestId}</code>
          <div className="small muted">{event.endpoint}</div>
        </>
      ),
    },
    {
      key: 'model',
      title: t('model'),
      render: (event) => (event.model === null ? <Unknown reason={t('noModel')} /> : event.model),
    },
    {
      key: 'outcome',
      title: t('outcome'),
      render: (event) => (
        <>
          <StateMark state={stateOf(event.outcome)} label={t(event.outcome)} />
          {event.errorCode === null ? null : (
            <div className="small muted">
              <code>{event.errorCode}</code> · HTTP {event.httpStatus}
            </div>
          )}
        </>
      ),
    },
    {
      key: 'tokens',
      title: t('tokens'),
      align: 'right',
      render: (event) =>
        event.promptTokens === null || event.completionTokens === null ? (
          <Unknown reason={t('noTokens')} />
        ) : (
          <span className="num">
            {format.count(event.promptTokens)} / {format.count(event.completionTokens)}
          </span>
        ),
    },
    {
      key: 'first',
      title: t('firstToken'),
      align: 'right',
      render: (event) => milliseconds(event.timeToFirstTokenMs, t('noFirst')),
    },
    {
      key: 'duration',
      title: t('duration'),
      align: 'right',
      render: (event) => milliseconds(event.durationMs, t('noDuration')),
    },
    { key: 'lineage', title: t('lineage'), render: (event) => <Lineage event={event} /> },
  ]
}
