import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { realChipsQuery } from '../../shared/api/queries.ts'
import type { Deployment, Model } from '../../shared/api/types.ts'
import type { Column } from '../../shared/ui/data-table.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { useStateWord } from '../../shared/ui/state-word.ts'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { modelMessages } from './models.messages.ts'

/** Links to the chips of the given stable names, by product where it is at hand. */
export function ChipLinks({ uuids }: { readonly uuids: readonly string[] }) {
  const t = useText(modelMessages)
  const chips = useQuery(realChipsQuery).data?.items ?? []
  if (uuids.length === 0) return <span className="muted">{t('none')}</span>
  return (
    <span className="row">
      {uuids.map((uuid) => {
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

function restartsOf(row: Deployment): number {
  return row.replicas.reduce((sum, replica) => sum + replica.restarts, 0)
}

export function useDeploymentColumns(): readonly Column<Deployment>[] {
  const t = useText(modelMessages)
  const format = useFormat()
  const word = useStateWord()
  return [
    {
      key: 'name',
      title: t('deployment'),
      sortBy: (row) => row.name,
      render: (row) => (
        <Link to="/deployments/$deploymentId" params={{ deploymentId: row.id }} className="strong">
          {row.name}
        </Link>
      ),
    },
    {
      key: 'state',
      title: t('state'),
      sortBy: (row) => row.state,
      render: (row) => <StateMark state={stateOf(row.state)} label={word(row.state)} />,
    },
    {
      key: 'served',
      title: t('served'),
      sortBy: (row) => row.servedModel,
      render: (row) => <code>{row.servedModel}</code>,
    },
    {
      key: 'chips',
      title: t('chips'),
      render: (row) => <ChipLinks uuids={[...new Set(row.replicas.flatMap((replica) => replica.chipUuids))]} />,
    },
    {
      key: 'restarts',
      title: t('restarts'),
      align: 'right',
      sortBy: restartsOf,
      render: (row) => format.count(restartsOf(row)),
    },
    {
      key: 'chat',
      title: t('chat'),
      align: 'right',
      render: (row) =>
        row.state === 'ready' || row.state === 'degraded' ? (
          <Link to="/playground" search={{ model: row.servedModel }}>
            {t('chat')}
            <span className="vh"> {row.name}</span>
          </Link>
        ) : (
          <span className="muted">{word(row.state)}</span>
        ),
    },
  ]
}

export function useModelColumns(): readonly Column<Model>[] {
  const t = useText(modelMessages)
  const format = useFormat()
  const { locale } = useLocale()
  const word = useStateWord()
  const known = (value: string | null, reason: string) => (value === null ? <Unknown reason={reason} /> : value)
  return [
    {
      key: 'name',
      title: t('model'),
      sortBy: (model) => model.displayName[locale],
      render: (model) => (
        <>
          <span className="strong">{model.displayName[locale]}</span>
          <div className="small muted mono">{model.name}</div>
        </>
      ),
    },
    {
      key: 'state',
      title: t('state'),
      sortBy: (model) => model.state,
      render: (model) => (
        <>
          <StateMark state={stateOf(model.state)} label={word(model.state)} />
          {model.error === null ? null : (
            <div className="small model-error">
              {model.error.detail} <code>{model.error.code}</code>
            </div>
          )}
        </>
      ),
    },
    {
      key: 'size',
      title: t('size'),
      align: 'right',
      sortBy: (model) => model.bytes,
      render: (model) => known(model.bytes === null ? null : format.bytes(model.bytes), t('notFetched')),
    },
    {
      key: 'parameters',
      title: t('parameters'),
      align: 'right',
      sortBy: (model) => model.parameters,
      render: (model) => known(model.parameters === null ? null : format.compact(model.parameters), t('notNamed')),
    },
    { key: 'quantisation', title: t('quantisation'), render: (model) => known(model.quantisation, t('notNamed')) },
    {
      key: 'licence',
      title: t('licence'),
      sortBy: (model) => model.licence,
      render: (model) => known(model.licence, t('notNamed')),
    },
    { key: 'source', title: t('source'), render: (model) => known(model.source, t('notFetched')) },
  ]
}
