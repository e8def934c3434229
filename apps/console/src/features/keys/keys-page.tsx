import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import type { ApiKey } from '../../shared/api/types.ts'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { keysQuery } from './api.ts'
import { CreateDialog } from './create-dialog.tsx'
import './keys.css'
import { keyMessages } from './keys.messages.ts'
import { RevokeDialog } from './revoke-dialog.tsx'

function isActive(key: ApiKey): boolean {
  return key.revokedAt === null && (key.expiresAt === null || Date.parse(key.expiresAt) > Date.now())
}

function KeyState({ apiKey }: { readonly apiKey: ApiKey }) {
  const t = useText(keyMessages)
  if (apiKey.revokedAt !== null) return <StateMark state="waiting" label={t('revoked')} />
  return isActive(apiKey) ? (
    <StateMark state="healthy" label={t('active')} />
  ) : (
    <StateMark state="degraded" label={t('expired')} />
  )
}

function KeyTable({ keys, onRevoke }: { readonly keys: readonly ApiKey[]; readonly onRevoke: (key: ApiKey) => void }) {
  const t = useText(keyMessages)
  return (
    <DataTable
      caption={t('title')}
      rows={keys}
      rowKey={(key) => key.id}
      columns={[
        {
          key: 'name',
          title: t('name'),
          sortBy: (key) => key.name,
          render: (key) => <span className="key-name">{key.name}</span>,
        },
        { key: 'prefix', title: t('prefix'), render: (key) => <code>{key.prefix}…</code> },
        {
          key: 'state',
          title: t('state'),
          sortBy: (key) => Number(!isActive(key)),
          render: (key) => <KeyState apiKey={key} />,
        },
        { key: 'scopes', title: t('scopes'), render: (key) => <span className="small">{key.scopes.join(', ')}</span> },
        {
          key: 'created',
          title: t('created'),
          sortBy: (key) => Date.parse(key.createdAt),
          render: (key) => <When iso={key.createdAt} />,
        },
        {
          key: 'expires',
          title: t('expires'),
          sortBy: (key) => (key.expiresAt === null ? null : Date.parse(key.expiresAt)),
          render: (key) =>
            key.expiresAt === null ? <span className="muted">{t('never')}</span> : <When iso={key.expiresAt} />,
        },
        {
          key: 'used',
          title: t('lastUsed'),
          sortBy: (key) => (key.lastUsedAt === null ? null : Date.parse(key.lastUsedAt)),
          render: (key) =>
            key.lastUsedAt === null ? <span className="muted">{t('neverUsed')}</span> : <When iso={key.lastUsedAt} />,
        },
        {
          key: 'action',
          title: t('action'),
          align: 'right',
          render: (key) =>
            isActive(key) ? (
              <Button size="small" danger onClick={() => onRevoke(key)}>
                {t('revoke')}
                <span className="vh"> {key.name}</span>
              </Button>
            ) : null,
        },
      ]}
    />
  )
}

export function KeysPage() {
  const t = useText(keyMessages)
  const keys = useQuery(keysQuery)
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const create = (
    <Button type="primary" onClick={() => setCreating(true)}>
      {t('create')}
    </Button>
  )
  const isEmpty = keys.data?.items.length === 0
  return (
    <>
      <PageHead title={t('title')} sub={t('sub')} {...(isEmpty ? {} : { action: create })} />
      <div className="panel">
        <QueryView query={keys}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title={t('none')} action={create}>
                {t('noneNext')}
              </Empty>
            ) : (
              <KeyTable keys={page.items} onRevoke={setRevoking} />
            )
          }
        </QueryView>
      </div>
      {creating ? <CreateDialog onClose={() => setCreating(false)} /> : null}
      {revoking === null ? null : <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </>
  )
}
