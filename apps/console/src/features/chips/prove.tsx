import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useEffect, useState } from 'react'
import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import type { Operation } from '../../shared/api/types.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { ProgressBar, useProgressText } from '../../shared/ui/progress.tsx'
import { Prose } from '../../shared/ui/prose.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { operationQuery, startProving } from './api.ts'
import { chipMessages } from './chips.messages.ts'

interface Proving {
  readonly operation: Operation | null
  readonly error: unknown
  readonly running: boolean
  start(): void
}

/** Remembered per chip, so that coming back to the page finds the run that was left. */
const storageKey = (chipId: string) => `medley.proving.${chipId}`

export function useProving(chipId: string): Proving {
  const queryClient = useQueryClient()
  const [operationId, setOperationId] = useState(() => window.sessionStorage.getItem(storageKey(chipId)))
  const mutation = useMutation({
    mutationFn: () => startProving(chipId),
    onSuccess: (operation) => {
      window.sessionStorage.setItem(storageKey(chipId), operation.id)
      setOperationId(operation.id)
    },
  })
  const followed = useQuery(operationQuery(operationId))
  const operation = followed.data ?? (mutation.data?.id === operationId ? mutation.data : null) ?? null
  const state = operation?.state
  useEffect(() => {
    if (state !== 'done' && state !== 'failed') return
    window.sessionStorage.removeItem(storageKey(chipId))
    for (const key of ['chips', 'proving', 'status']) void queryClient.invalidateQueries({ queryKey: [key] })
  }, [state, chipId, queryClient])
  return {
    operation,
    error: mutation.error ?? (operation === null ? followed.error : null),
    running: mutation.isPending || state === 'running',
    start: () => mutation.mutate(),
  }
}

export function ProveControl({ proving, label }: { readonly proving: Proving; readonly label: string }) {
  return (
    <Button type="primary" loading={proving.running} disabled={proving.running} onClick={proving.start}>
      {label}
    </Button>
  )
}

/** How far the run is; how it ended. */
export function ProveNote({ proving }: { readonly proving: Proving }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const text = useProgressText()
  const { operation, error } = proving
  if (error !== null) return <ProblemNote error={error} onRetry={proving.start} />
  if (operation === null) return null
  if (operation.state === 'done') {
    return (
      <p role="status">
        <StateMark state="healthy" label={t('provingDone')} />
      </p>
    )
  }
  if (operation.state === 'failed') {
    return (
      <div className="problem" role="alert">
        <strong>{t('provingFailed')}</strong>
        {operation.error === null ? null : (
          <span>
            <Prose text={sentence(operation.error)} />
          </span>
        )}
        {operation.error === null ? null : <span className="code mono">{operation.error.code}</span>}
      </div>
    )
  }
  const progress = operation.progress ?? { step: t('preparing'), done: 0, total: null, unit: '' }
  const label = t('proving', { step: progress.step })
  return (
    <div className="panel proving" role="status">
      <span className="row between">
        <StateMark state="working" label={label} />
        <span className="num muted">{text(progress)}</span>
      </span>
      <ProgressBar progress={progress} label={label} />
      <span className="small muted">{t('provingGoesOn')}</span>
    </div>
  )
}
