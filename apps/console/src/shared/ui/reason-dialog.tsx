import { useMutation } from '@tanstack/react-query'
import { Input, Modal } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { ProblemNote } from './problem-note.tsx'

const messages = defineMessages({
  reason: { en: 'Reason', 'zh-CN': '原因' },
  reasonNote: {
    en: 'Others read it beside the state and in the history.',
    'zh-CN': '其他人会在状态旁和历史中看到它。',
  },
  missing: { en: 'Say why', 'zh-CN': '请写明原因' },
  confirm: { en: 'Type {text} to confirm', 'zh-CN': '输入 {text} 以确认' },
  cancel: { en: 'Cancel', 'zh-CN': '取消' },
})

interface ReasonDialogProps {
  readonly title: string
  /** The verb on the button. */
  readonly action: string
  readonly danger?: boolean
  readonly reasonRequired?: boolean
  /** Has to be typed before the button works: for what cannot be undone. */
  readonly typed?: string
  /** What happens, what is lost. */
  readonly children?: ReactNode
  readonly onConfirm: (reason: string) => Promise<unknown>
  readonly onClose: () => void
}

/** Asks why, names what is lost, does it, and stays open with the error if it fails. */
export function ReasonDialog(props: ReasonDialogProps) {
  const { title, action, danger = false, reasonRequired = true, typed, children, onConfirm, onClose } = props
  const t = useText(messages)
  const id = useId()
  const [reason, setReason] = useState('')
  const [confirmation, setConfirmation] = useState('')
  const [tried, setTried] = useState(false)
  const mutation = useMutation({ mutationFn: () => onConfirm(reason.trim()), onSuccess: onClose })
  const missing = reasonRequired && reason.trim() === ''
  const unconfirmed = typed !== undefined && confirmation.trim() !== typed
  const submit = () => {
    setTried(true)
    if (!missing && !unconfirmed) mutation.mutate()
  }
  return (
    <Modal
      open
      title={title}
      okText={action}
      okButtonProps={{ danger, loading: mutation.isPending, disabled: unconfirmed }}
      cancelText={t('cancel')}
      onOk={submit}
      onCancel={onClose}
    >
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {children}
        <div className="field">
          <label htmlFor={`${id}-reason`}>{t('reason')}</label>
          <Input
            id={`${id}-reason`}
            value={reason}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setReason(event.target.value)}
            aria-describedby={`${id}-note`}
            {...(tried && missing ? { status: 'error' as const, 'aria-invalid': true } : {})}
          />
          <span id={`${id}-note`} className={tried && missing ? 'small wrong' : 'small muted'} role="status">
            {tried && missing ? t('missing') : t('reasonNote')}
          </span>
        </div>
        {typed === undefined ? null : (
          <div className="field">
            <label htmlFor={`${id}-typed`}>{t('confirm', { text: typed })}</label>
            <Input
              id={`${id}-typed`}
              value={confirmation}
              autoComplete="off"
              onChange={(event) => setConfirmation(event.target.value)}
            />
          </div>
        )}
        {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
        <button type="submit" hidden />
      </form>
    </Modal>
  )
}
