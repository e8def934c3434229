import { useMutation, useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import type { AlertChannel } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { alertMessages } from './alerts.messages.ts'
import { channelsQuery, testChannel } from './api.ts'
import { ChannelDialog } from './channel-dialog.tsx'
import { RemoveDialog } from './remove-dialog.tsx'

function TestControl({ channel }: { readonly channel: AlertChannel }) {
  const t = useText(alertMessages)
  const test = useMutation({ mutationFn: () => testChannel(channel.id) })
  return (
    <>
      <Button size="small" loading={test.isPending} onClick={() => test.mutate()}>
        {t('test')}
        <span className="vh"> {channel.name}</span>
      </Button>
      <div role="status" className="small">
        {test.data === undefined ? null : test.data.ok ? (
          <StateMark state="healthy" label={t('testOk')} />
        ) : (
          <StateMark state="failed" label={t('testFailed', { why: test.data.error ?? '' })} />
        )}
      </div>
      {test.isError ? <ProblemNote error={test.error} /> : null}
    </>
  )
}

export function ChannelsPanel() {
  const t = useText(alertMessages)
  const mayChange = useMay('alerts:write')
  const channels = useQuery(channelsQuery)
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<AlertChannel | null>(null)
  const add = mayChange ? (
    <Button type="primary" size="small" onClick={() => setAdding(true)}>
      {t('newChannel')}
    </Button>
  ) : null
  return (
    <Panel title={t('channels')} flush extra={channels.data?.items.length === 0 ? null : add}>
      <QueryView query={channels}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('noChannels')} action={add}>
              {t('noChannelsNext')}
            </Empty>
          ) : (
            <DataTable
              caption={t('channels')}
              rows={page.items}
              rowKey={(channel) => channel.id}
              columns={[
                {
                  key: 'name',
                  title: t('name'),
                  sortBy: (channel) => channel.name,
                  render: (channel) => (
                    <>
                      <span className="strong">{channel.name}</span>
                      <div className="small muted">
                        <When iso={channel.createdAt} />
                      </div>
                    </>
                  ),
                },
                { key: 'kind', title: t('kind'), render: (channel) => t(channel.kind) },
                {
                  key: 'address',
                  title: t('address'),
                  render: (channel) => (
                    <>
                      <code>{channel.address}</code>
                      {channel.signed ? <div className="small muted">{t('signed')}</div> : null}
                    </>
                  ),
                },
                {
                  key: 'language',
                  title: t('language'),
                  render: (channel) => (channel.locale === 'en' ? 'English' : '中文'),
                },
                {
                  key: 'enabled',
                  title: t('enabled'),
                  render: (channel) => (
                    <StateMark
                      state={channel.enabled ? 'healthy' : 'waiting'}
                      label={t(channel.enabled ? 'on' : 'off')}
                    />
                  ),
                },
                {
                  key: 'test',
                  title: t('test'),
                  render: (channel) => (mayChange ? <TestControl channel={channel} /> : null),
                },
                {
                  key: 'action',
                  title: t('action'),
                  align: 'right',
                  render: (channel) =>
                    mayChange ? (
                      <Button size="small" danger onClick={() => setRemoving(channel)}>
                        {t('remove')}
                        <span className="vh"> {channel.name}</span>
                      </Button>
                    ) : null,
                },
              ]}
            />
          )
        }
      </QueryView>
      {adding ? <ChannelDialog onClose={() => setAdding(false)} /> : null}
      {removing === null ? null : (
        <RemoveDialog kind="channel" id={removing.id} name={removing.name} onClose={() => setRemoving(null)} />
      )}
    </Panel>
  )
}
