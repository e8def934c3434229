import { useQueryClient } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import type { Alert } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { ReasonDialog } from '../../shared/ui/reason-dialog.tsx'
import { ViewTabs } from '../../shared/ui/view-tabs.tsx'
import { AlertTable, alertCsv } from './alert-table.tsx'
import './alerts.css'
import { alertMessages } from './alerts.messages.ts'
import { acknowledge } from './api.ts'
import { ChannelsPanel } from './channels-panel.tsx'
import { RulesPanel } from './rules-panel.tsx'
import { alertsSearch } from './search.ts'

const views = ['firing', 'past', 'rules', 'channels'] as const

function Nothing({ past }: { readonly past: boolean }) {
  const t = useText(alertMessages)
  if (past) return <Empty title={t('noPast')}>{t('noPastNext')}</Empty>
  return (
    <Empty
      title={t('calm')}
      action={
        <Link to="/alerts" search={{ view: 'channels' }}>
          {t('toChannels')}
        </Link>
      }
    >
      {t('calmNext')}
    </Empty>
  )
}

function AlertList({ state }: { readonly state: Alert['state'] }) {
  const t = useText(alertMessages)
  const { locale } = useLocale()
  const queryClient = useQueryClient()
  const alerts = usePages<Alert>(['alerts', 'list'], '/api/v1/alerts', { state })
  const [asking, setAsking] = useState<Alert | null>(null)
  const past = state === 'resolved'
  return (
    <Panel
      title={t(past ? 'past' : 'firing')}
      flush
      extra={
        <ExportButton
          size="small"
          fileName="medley-alerts.csv"
          columns={alertCsv}
          collect={(onProgress) => collectPages<Alert>('/api/v1/alerts', { state }, onProgress)}
        />
      }
    >
      <QueryView query={alerts.query}>
        {() =>
          alerts.rows.length === 0 ? (
            <Nothing past={past} />
          ) : (
            <>
              <AlertTable alerts={alerts.rows} past={past} onAcknowledge={setAsking} />
              <LoadMore pages={alerts} />
            </>
          )
        }
      </QueryView>
      {asking === null ? null : (
        <ReasonDialog
          title={t('acknowledgeTitle', { name: asking.ruleName[locale] })}
          action={t('acknowledge')}
          onConfirm={(note) =>
            acknowledge(asking.id, note).then(() => queryClient.invalidateQueries({ queryKey: ['alerts'] }))
          }
          onClose={() => setAsking(null)}
        >
          <div>
            <p className="strong">{asking.subject}</p>
            <p>{t('acknowledgeWhat')}</p>
          </div>
        </ReasonDialog>
      )}
    </Panel>
  )
}

export function AlertsPage() {
  const t = useText(alertMessages)
  const asked = alertsSearch(useSearch({ from: '/shell/alerts' })).view
  const view = views.find((known) => known === asked) ?? 'firing'
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} />
      <ViewTabs label={t('views')} current={view} tabs={views.map((key) => ({ key, title: t(key) }))} />
      {view === 'firing' ? <AlertList key="firing" state="firing" /> : null}
      {view === 'past' ? <AlertList key="past" state="resolved" /> : null}
      {view === 'rules' ? <RulesPanel /> : null}
      {view === 'channels' ? <ChannelsPanel /> : null}
    </>
  )
}
