import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Button } from 'antd'
import { useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { request } from '../../shared/api/client.ts'
import { pathWith } from '../../shared/api/pages.ts'
import type { Chip, Node, Page } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { ReasonDialog } from '../../shared/ui/reason-dialog.tsx'
import { cordonNode, revokeNode, uncordonNode } from './api.ts'
import { nodeMessages } from './nodes.messages.ts'

/** What a drain ends: the deployments on the node's chips, by name. */
function WhatRuns({ nodeId }: { readonly nodeId: string }) {
  const t = useText(nodeMessages)
  const chips = useQuery({
    queryKey: ['chips', 'of-node', nodeId],
    queryFn: ({ signal }) => request<Page<Chip>>(pathWith('/api/v1/chips', { node: nodeId, limit: 200 }), { signal }),
  })
  return (
    <QueryView query={chips}>
      {(page) => {
        const running = new Map(
          page.items.flatMap((chip) => chip.deployments.map(({ id, name }) => [id, name] as const)),
        )
        if (running.size === 0) return <p className="muted">{t('drainNothing')}</p>
        return (
          <ul className="bulleted">
            {[...running].map(([id, name]) => (
              <li key={id}>
                <Link to="/deployments/$deploymentId" params={{ deploymentId: id }}>
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        )
      }}
    </QueryView>
  )
}

export function NodeActions({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  const queryClient = useQueryClient()
  const mayChange = useMay('nodes:write')
  const [asking, setAsking] = useState<'cordon' | 'drain' | 'revoke' | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const changed = () => queryClient.invalidateQueries({ queryKey: ['nodes'] })
  if (!mayChange || node.state === 'revoked') return null
  const name = node.facts.hostname
  const state = node.cordon?.state ?? 'open'
  const uncordon = async () => {
    setBusy(true)
    setError(null)
    await uncordonNode(node.id).then(changed, setError)
    setBusy(false)
  }
  const close = () => setAsking(null)
  return (
    <>
      {state === 'open' ? (
        <Button onClick={() => setAsking('cordon')}>{t('cordon')}</Button>
      ) : (
        <Button type="primary" loading={busy} onClick={() => void uncordon()}>
          {t('uncordon')}
        </Button>
      )}
      {state === 'draining' || state === 'drained' ? null : (
        <Button onClick={() => setAsking('drain')}>{t('drain')}</Button>
      )}
      <Button danger onClick={() => setAsking('revoke')}>
        {t('revoke')}
      </Button>
      {error === null ? null : <ProblemNote error={error} />}
      {asking === 'cordon' ? (
        <ReasonDialog
          title={t('cordonTitle', { name })}
          action={t('cordon')}
          onConfirm={(reason) => cordonNode(node.id, { reason, drain: false }).then(changed)}
          onClose={close}
        >
          <p>{t('cordonWhat')}</p>
        </ReasonDialog>
      ) : null}
      {asking === 'drain' ? (
        <ReasonDialog
          title={t('drainTitle', { name })}
          action={t('drain')}
          danger
          onConfirm={(reason) => cordonNode(node.id, { reason, drain: true }).then(changed)}
          onClose={close}
        >
          <div>
            <p>{t('drainWhat')}</p>
            <WhatRuns nodeId={node.id} />
          </div>
        </ReasonDialog>
      ) : null}
      {asking === 'revoke' ? (
        <ReasonDialog
          title={t('revokeTitle', { name })}
          action={t('revoke')}
          danger
          typed={name}
          onConfirm={(reason) => revokeNode(node.id, reason).then(changed)}
          onClose={close}
        >
          <div>
            <p>{t('revokeWhat')}</p>
            <WhatRuns nodeId={node.id} />
          </div>
        </ReasonDialog>
      ) : null}
    </>
  )
}
