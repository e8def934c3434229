import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input, Modal, Segmented } from 'antd'
import { type FormEvent, useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { deploymentsQuery, sessionQuery } from '../../shared/api/queries.ts'
import type { CreatedApiKey } from '../../shared/api/types.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { createKey } from './api.ts'
import { keyMessages } from './keys.messages.ts'

const lifetimes = [0, 30, 90, 365] as const
const dayMs = 86_400_000

function KeyForm({ onCreated }: { readonly onCreated: (key: CreatedApiKey) => void }) {
  const t = useText(keyMessages)
  const queryClient = useQueryClient()
  const [name, setName] = useState('')
  const [days, setDays] = useState<number>(0)
  const [touched, setTouched] = useState(false)
  const mutation = useMutation({
    mutationFn: createKey,
    onSuccess: (key) => {
      void queryClient.invalidateQueries({ queryKey: ['keys'] })
      onCreated(key)
    },
  })
  const missing = name.trim() === ''
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTouched(true)
    if (missing) return
    const expiresAt = days === 0 ? {} : { expiresAt: new Date(Date.now() + days * dayMs).toISOString() }
    mutation.mutate({ name: name.trim(), ...expiresAt })
  }
  return (
    <form className="key-form" onSubmit={submit}>
      {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
      <label htmlFor="key-name">{t('name')}</label>
      <Input
        id="key-name"
        autoFocus
        value={name}
        maxLength={100}
        placeholder={t('namePlaceholder')}
        aria-describedby="key-name-note"
        aria-invalid={touched && missing}
        {...(touched && missing ? { status: 'error' as const } : {})}
        onChange={(event) => setName(event.target.value)}
      />
      <p id="key-name-note" className={touched && missing ? 'key-error small' : 'small muted'}>
        {touched && missing ? t('nameMissing') : t('nameNote')}
      </p>
      <span id="key-expiry" className="key-label">
        {t('expires')}
      </span>
      <Segmented
        aria-labelledby="key-expiry"
        value={days}
        onChange={setDays}
        options={lifetimes.map((value) => ({
          value,
          label: value === 0 ? t('never') : t('days', { days: String(value) }),
        }))}
      />
      <div className="row key-actions">
        <Button type="primary" htmlType="submit" loading={mutation.isPending}>
          {t('create')}
        </Button>
      </div>
    </form>
  )
}

function NewKey({ created, onDone }: { readonly created: CreatedApiKey; readonly onDone: () => void }) {
  const t = useText(keyMessages)
  const session = useQuery(sessionQuery).data
  const deployments = useQuery(deploymentsQuery).data
  const model = deployments?.items.find((deployment) => deployment.state === 'ready')?.servedModel ?? 'MODEL'
  const base = `${(session?.gatewayUrl ?? '').replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: t('question') }] })
  const curl = [
    `curl ${base}/chat/completions`,
    `  -H "Authorization: Bearer ${created.key}"`,
    '  -H "Content-Type: application/json"',
    `  -d '${body}'`,
  ].join(' \\\n')
  return (
    <div className="stack">
      <div>
        <StateMark state="degraded" label={t('shownOnce')} />
        <p className="muted">{t('shownOnceWhy')}</p>
      </div>
      <CopyBlock label={t('key')} text={created.key} wrap />
      <div>
        <p className="key-label">{t('tryIt')}</p>
        <CopyBlock label={t('curl')} text={curl} wrap />
      </div>
      <div className="row key-actions">
        <Button type="primary" onClick={onDone}>
          {t('done')}
        </Button>
      </div>
    </div>
  )
}

/** Asks for a name, then shows the key. Once it is shown, only the button closes: a stray click would lose it. */
export function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useText(keyMessages)
  const [created, setCreated] = useState<CreatedApiKey | null>(null)
  return (
    <Modal
      open
      title={created === null ? t('create') : created.name}
      footer={null}
      onCancel={onClose}
      closable={created === null}
      keyboard={created === null}
      mask={{ closable: created === null }}
    >
      {created === null ? <KeyForm onCreated={setCreated} /> : <NewKey created={created} onDone={onClose} />}
    </Modal>
  )
}
