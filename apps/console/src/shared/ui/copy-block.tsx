import { CheckOutlined, CopyOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useEffect, useState } from 'react'
import { defineMessages, useText } from '../../i18n/messages.ts'

const messages = defineMessages({
  copy: { en: 'Copy', 'zh-CN': '复制' },
  copied: { en: 'Copied', 'zh-CN': '已复制' },
  refused: { en: 'Select it', 'zh-CN': '请手动选中' },
})

interface CopyBlockProps {
  readonly text: string
  /** Names the block for screen readers. */
  readonly label: string
  readonly wrap?: boolean
}

/** Text to take elsewhere. Where the page may not write to the clipboard (plain HTTP) it says so. */
export function CopyBlock({ text, label, wrap = false }: CopyBlockProps) {
  const t = useText(messages)
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), 2000)
    return () => clearTimeout(timer)
  }, [state])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      setState('refused')
    }
  }
  return (
    <div className="snippet">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: scrolls, so it must take keys */}
      <pre className={wrap ? 'wrap' : ''} tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <Button size="small" icon={state === 'copied' ? <CheckOutlined /> : <CopyOutlined />} onClick={copy}>
        <span aria-live="polite">{state === 'idle' ? t('copy') : t(state)}</span>
      </Button>
    </div>
  )
}
