import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button } from 'antd'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import type { Alert } from '../../shared/api/types.ts'
import type { CsvColumn } from '../../shared/csv.ts'
import { useMay } from '../../shared/session.ts'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { alertMessages } from './alerts.messages.ts'
import { channelsQuery } from './api.ts'
import { SeverityMark } from './severity.tsx'

export const alertCsv: readonly CsvColumn<Alert>[] = [
  ['alert_id', (alert) => alert.id],
  ['rule', (alert) => alert.ruleName.en],
  ['severity', (alert) => alert.severity],
  ['state', (alert) => alert.state],
  ['subject', (alert) => alert.subject],
  ['node_id', (alert) => alert.nodeId],
  ['chip_id', (alert) => alert.chipId],
  ['simulated', (alert) => alert.simulated],
  ['value', (alert) => alert.value],
  ['started_at', (alert) => alert.startedAt],
  ['resolved_at', (alert) => alert.resolvedAt],
  ['acknowledged_by', (alert) => alert.acknowledged?.by ?? null],
  ['note', (alert) => alert.acknowledged?.note ?? null],
]

function Deliveries({ alert }: { readonly alert: Alert }) {
  const t = useText(alertMessages)
  const format = useFormat()
  const channels = useQuery(channelsQuery).data?.items
  if (alert.deliveries.length === 0) return <span className="muted small">{t('noChannel')}</span>
  const nameOf = (id: string) => channels?.find((channel) => channel.id === id)?.name ?? t('goneChannel')
  const marks = { waiting: 'working', delivered: 'healthy', failed: 'failed' } as const
  return (
    <ul className="deliveries">
      {alert.deliveries.map((delivery) => (
        <li key={`${delivery.channelId} ${delivery.event}`} className="small">
          <StateMark
            state={marks[delivery.state]}
            label={`${nameOf(delivery.channelId)}${delivery.event === 'resolved' ? ` (${t('onEnd')})` : ''}: ${
              delivery.state === 'failed'
                ? t('failed', { attempts: format.count(delivery.attempts) })
                : t(delivery.state)
            }`}
          />
          {delivery.lastError === null ? null : <div className="muted">{delivery.lastError}</div>}
        </li>
      ))}
    </ul>
  )
}

function Subject({ alert }: { readonly alert: Alert }) {
  const name = (
    <>
      {alert.subject}
      {alert.simulated ? (
        <div>
          <StateMark state="simulated" />
        </div>
      ) : null}
    </>
  )
  if (alert.chipId !== null) {
    return (
      <Link to="/chips/$chipId" params={{ chipId: alert.chipId }}>
        {name}
      </Link>
    )
  }
  return alert.nodeId === null ? (
    name
  ) : (
    <Link to="/nodes/$nodeId" params={{ nodeId: alert.nodeId }}>
      {name}
    </Link>
  )
}

function useColumns(onAcknowledge: (alert: Alert) => void, past: boolean): readonly Column<Alert>[] {
  const t = useText(alertMessages)
  const format = useFormat()
  const sentence = useCoded()
  const { locale } = useLocale()
  const mayChange = useMay('alerts:write')
  const order = { critical: 0, warning: 1, info: 2 } as const
  const columns: readonly (Column<Alert> | null)[] = [
    {
      key: 'alert',
      title: t('alert'),
      width: '30%',
      sortBy: (alert) => order[alert.severity],
      render: (alert) => (
        <>
          <span className="row">
            <SeverityMark severity={alert.severity} />
            <span className="strong">{alert.ruleName[locale]}</span>
          </span>
          {alert.evidence.map((reason) => (
            <div key={`${reason.code} ${JSON.stringify(reason.params)}`} className="small muted">
              {sentence(reason)}
            </div>
          ))}
        </>
      ),
    },
    {
      key: 'subject',
      title: t('subject'),
      sortBy: (alert) => alert.subject,
      render: (alert) => <Subject alert={alert} />,
    },
    {
      key: 'began',
      title: t('began'),
      sortBy: (alert) => Date.parse(alert.startedAt),
      render: (alert) => <When iso={alert.startedAt} />,
    },
    past
      ? {
          key: 'ended',
          title: t('ended'),
          render: (alert) =>
            alert.resolvedAt === null ? null : (
              <>
                <When iso={alert.resolvedAt} />
                <div className="small muted">
                  {t('lasted', {
                    length: format.span((Date.parse(alert.resolvedAt) - Date.parse(alert.startedAt)) / 1000),
                  })}
                </div>
              </>
            ),
        }
      : null,
    {
      key: 'handled',
      title: t('handled'),
      render: ({ acknowledged }) =>
        acknowledged === null ? (
          <span className="muted">{t('nobody')}</span>
        ) : (
          <>
            <StateMark state="healthy" label={acknowledged.by} />
            <div className="small muted">
              {acknowledged.note} · <When iso={acknowledged.at} />
            </div>
          </>
        ),
    },
    { key: 'told', title: t('told'), render: (alert) => <Deliveries alert={alert} /> },
    past || !mayChange
      ? null
      : {
          key: 'action',
          title: t('action'),
          align: 'right',
          render: (alert) =>
            alert.acknowledged === null ? (
              <Button size="small" onClick={() => onAcknowledge(alert)}>
                {t('acknowledge')}
                <span className="vh"> {alert.subject}</span>
              </Button>
            ) : null,
        },
  ]
  return columns.filter((column) => column !== null)
}

interface AlertTableProps {
  readonly alerts: readonly Alert[]
  readonly past: boolean
  readonly onAcknowledge: (alert: Alert) => void
}

export function AlertTable({ alerts, past, onAcknowledge }: AlertTableProps) {
  const t = useText(alertMessages)
  const columns = useColumns(onAcknowledge, past)
  return (
    <DataTable
      caption={t(past ? 'past' : 'firing')}
      columns={columns}
      rows={alerts}
      rowKey={(alert) => alert.id}
      hatched={(alert) => alert.simulated}
    />
  )
}
