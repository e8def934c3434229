import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Input, InputNumber, Modal, Select } from 'antd'
import { useId, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { CreatedJoinToken, JoinToken, NewJoinToken } from '../../shared/api/types.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { createJoinToken, joinTokensQuery, revokeJoinToken } from './api.ts'
import { joinMessages } from './nodes.messages.ts'

const lifetimes = [900, 3_600, 14_400, 86_400] as const

type Draft = { readonly [Name in keyof NewJoinToken]-?: NonNullable<NewJoinToken[Name]> }

function TokenForm({ onCreated }: { readonly onCreated: (token: CreatedJoinToken) => void }) {
  const t = useText(joinMessages)
  const format = useFormat()
  const id = useId()
  const queryClient = useQueryClient()
  const [draft, setDraft] = useState<Draft>({
    note: '',
    ttlSeconds: 3_600,
    uses: 1,
    dedicated: false,
    simulated: false,
  })
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const mutation = useMutation({
    mutationFn: () => createJoinToken(draft),
    onSuccess: (token) => {
      void queryClient.invalidateQueries({ queryKey: ['join-tokens'] })
      onCreated(token)
    },
  })
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        mutation.mutate()
      }}
    >
      <p className="muted">{t('what')}</p>
      <div className="field">
        <label htmlFor={`${id}-note`}>{t('note')}</label>
        <Input
          id={`${id}-note`}
          value={draft.note}
          maxLength={200}
          placeholder={t('notePlaceholder')}
          autoComplete="off"
          onChange={(event) => change({ note: event.target.value })}
        />
      </div>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}-ttl`}>{t('ttl')}</label>
          <Select
            id={`${id}-ttl`}
            value={draft.ttlSeconds}
            options={lifetimes.map((value) => ({ value, label: format.span(value) }))}
            onChange={(ttlSeconds: number) => change({ ttlSeconds })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-uses`}>{t('uses')}</label>
          <InputNumber<number>
            id={`${id}-uses`}
            min={1}
            max={2_000}
            precision={0}
            value={draft.uses}
            onChange={(uses) => change({ uses: uses ?? 1 })}
          />
        </div>
      </div>
      <div className="row">
        <Checkbox checked={draft.dedicated} onChange={(event) => change({ dedicated: event.target.checked })}>
          {t('dedicated')}
        </Checkbox>
        <Checkbox checked={draft.simulated} onChange={(event) => change({ simulated: event.target.checked })}>
          {t('simulated')}
        </Checkbox>
      </div>
      {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
      <div>
        <Button type="primary" htmlType="submit" loading={mutation.isPending}>
          {t('create')}
        </Button>
      </div>
    </form>
  )
}

function NewToken({ token, onAnother }: { readonly token: CreatedJoinToken; readonly onAnother: () => void }) {
  const t = useText(joinMessages)
  return (
    <div className="form">
      <StateMark state="degraded" label={t('once')} />
      <div>
        <p className="join-run">{t('run')}</p>
        <CopyBlock label={t('command')} text={token.command} wrap />
      </div>
      <div>
        <Button onClick={onAnother}>{t('another')}</Button>
      </div>
    </div>
  )
}

function stateOfToken(token: JoinToken, now: number): 'open' | 'expired' | 'used' | 'revoked' {
  if (token.revokedAt !== null) return 'revoked'
  if (token.usesLeft === 0) return 'used'
  return Date.parse(token.expiresAt) > now ? 'open' : 'expired'
}

function TokenList() {
  const t = useText(joinMessages)
  const format = useFormat()
  const queryClient = useQueryClient()
  const tokens = useQuery(joinTokensQuery)
  const revoke = useMutation({
    mutationFn: revokeJoinToken,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['join-tokens'] }),
  })
  const now = Date.now()
  return (
    <section className="join-tokens">
      <h3>{t('tokens')}</h3>
      {revoke.isError ? <ProblemNote error={revoke.error} /> : null}
      <QueryView query={tokens}>
        {(page) =>
          page.items.length === 0 ? (
            <p className="muted">{t('noTokens')}</p>
          ) : (
            <DataTable
              caption={t('tokens')}
              rows={page.items}
              rowKey={(token) => token.id}
              hatched={(token) => token.simulated}
              columns={[
                {
                  key: 'note',
                  title: t('note'),
                  render: (token) => (
                    <>
                      {token.note === '' ? <span className="muted">—</span> : token.note}{' '}
                      {token.simulated ? <StateMark state="simulated" /> : null}
                    </>
                  ),
                },
                {
                  key: 'state',
                  title: t('state'),
                  render: (token) => {
                    const state = stateOfToken(token, now)
                    return <StateMark state={state === 'open' ? 'healthy' : 'waiting'} label={t(state)} />
                  },
                },
                { key: 'left', title: t('left'), align: 'right', render: (token) => format.count(token.usesLeft) },
                { key: 'expires', title: t('expires'), render: (token) => <When iso={token.expiresAt} /> },
                {
                  key: 'action',
                  title: t('action'),
                  align: 'right',
                  render: (token) =>
                    stateOfToken(token, now) === 'open' ? (
                      <Button
                        size="small"
                        danger
                        loading={revoke.isPending && revoke.variables === token.id}
                        onClick={() => revoke.mutate(token.id)}
                      >
                        {t('revoke')}
                        <span className="vh"> {token.note}</span>
                      </Button>
                    ) : null,
                },
              ]}
            />
          )
        }
      </QueryView>
    </section>
  )
}

/** Makes a token, shows once what to run with it, and lists those there are. */
export function JoinDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useText(joinMessages)
  const [created, setCreated] = useState<CreatedJoinToken | null>(null)
  return (
    <Modal
      open
      width={680}
      title={t('title')}
      onCancel={onClose}
      // Once a token is shown, only the button closes: a stray click would lose it.
      closable={created === null}
      keyboard={created === null}
      mask={{ closable: created === null }}
      footer={<Button onClick={onClose}>{t(created === null ? 'close' : 'done')}</Button>}
    >
      {created === null ? (
        <TokenForm onCreated={setCreated} />
      ) : (
        <NewToken token={created} onAnother={() => setCreated(null)} />
      )}
      <TokenList />
    </Modal>
  )
}
