import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Modal } from 'antd'
import { useText } from '../../i18n/messages.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { alertMessages } from './alerts.messages.ts'
import { deleteChannel, deleteRule } from './api.ts'

interface RemoveDialogProps {
  readonly kind: 'rule' | 'channel'
  readonly id: string
  readonly name: string
  readonly onClose: () => void
}

/** Names what is lost before it is lost. */
export function RemoveDialog({ kind, id, name, onClose }: RemoveDialogProps) {
  const t = useText(alertMessages)
  const queryClient = useQueryClient()
  const remove = useMutation({
    mutationFn: () => (kind === 'rule' ? deleteRule(id) : deleteChannel(id)),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['alerts'] })
      onClose()
    },
  })
  return (
    <Modal
      open
      title={t(kind === 'rule' ? 'removeRule' : 'removeChannel', { name })}
      okText={t('remove')}
      okButtonProps={{ danger: true, loading: remove.isPending }}
      cancelText={t('cancel')}
      onOk={() => remove.mutate()}
      onCancel={onClose}
    >
      <p>{t(kind === 'rule' ? 'removeRuleWhat' : 'removeChannelWhat')}</p>
      {remove.isError ? <ProblemNote error={remove.error} /> : null}
    </Modal>
  )
}
