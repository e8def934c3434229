import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Modal } from 'antd'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { ApiKey } from '../../shared/api/types.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { revokeKey } from './api.ts'
import { keyMessages } from './keys.messages.ts'

/** Names what is lost before it is lost. */
export function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const t = useText(keyMessages)
  const format = useFormat()
  const queryClient = useQueryClient()
  const mutation = useMutation({
    mutationFn: () => revokeKey(apiKey.id),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['keys'] })
      onClose()
    },
  })
  return (
    <Modal
      open
      title={t('revokeTitle', { name: apiKey.name })}
      okText={t('revoke')}
      okButtonProps={{ danger: true, loading: mutation.isPending }}
      cancelText={t('cancel')}
      onOk={() => mutation.mutate()}
      onCancel={onClose}
    >
      <div className="stack">
        <p>{t('revokeLoss', { prefix: apiKey.prefix })}</p>
        <p className="muted">
          {apiKey.lastUsedAt === null ? t('neverUsed') : t('revokeUsed', { when: format.relative(apiKey.lastUsedAt) })}
        </p>
        {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
      </div>
    </Modal>
  )
}
