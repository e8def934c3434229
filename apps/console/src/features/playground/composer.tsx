import { Button, Input } from 'antd'
import { type KeyboardEvent, useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { playgroundMessages } from './playground.messages.ts'

interface ComposerProps {
  readonly busy: boolean
  readonly disabled: boolean
  readonly onSend: (question: string) => void
  readonly onStop: () => void
  /** Null while there is nothing to clear. */
  readonly onClear: (() => void) | null
}

export function Composer({ busy, disabled, onSend, onStop, onClear }: ComposerProps) {
  const t = useText(playgroundMessages)
  const [draft, setDraft] = useState('')
  const submit = () => {
    const question = draft.trim()
    if (question === '' || busy || disabled) return
    setDraft('')
    onSend(question)
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter that confirms a word of an input method must not send half a sentence.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      submit()
    }
  }
  return (
    <div className="composer">
      <label htmlFor="prompt" className="vh">
        {t('prompt')}
      </label>
      <Input.TextArea
        id="prompt"
        value={draft}
        disabled={disabled}
        placeholder={t('placeholder')}
        autoSize={{ minRows: 2, maxRows: 8 }}
        variant="borderless"
        aria-describedby="prompt-keys"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="row between composer-foot">
        <span id="prompt-keys" className="small muted">
          {t('keys')}
        </span>
        <span className="row composer-buttons">
          {onClear === null ? null : (
            <Button type="text" onClick={onClear}>
              {t('clear')}
            </Button>
          )}
          {busy ? (
            <Button onClick={onStop}>{t('stop')}</Button>
          ) : (
            <Button type="primary" onClick={submit} disabled={disabled || draft.trim() === ''}>
              {t('send')}
            </Button>
          )}
        </span>
      </div>
    </div>
  )
}
