import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import type { Sheet } from './api.ts'
import { vendorMessages } from './vendors.messages.ts'

/** Low confidence stands out: such a figure may be a press article's. */
export function Confidence({ level }: { readonly level: Sheet['confidence'] }) {
  const t = useText(vendorMessages)
  const state = level === 'high' ? 'healthy' : level === 'medium' ? 'waiting' : 'degraded'
  return <StateMark state={state} label={t(level)} />
}

export function Peaks({ peaks }: Pick<Sheet, 'peaks'>) {
  const t = useText(vendorMessages)
  const format = useFormat()
  return (
    <ul className="peaks">
      {peaks.map((peak) => (
        <li key={`${peak.dtype} ${peak.sparse}`}>
          <code>{peak.dtype}</code>{' '}
          <span className="num">{format.measure(peak.teraops, peak.dtype.startsWith('int') ? 'TOPS' : 'TFLOPS')}</span>
          {peak.sparse ? <span className="muted small"> {t('sparse')}</span> : null}
        </li>
      ))}
    </ul>
  )
}

/** The source as a link where it is one. */
export function Source({ text }: { readonly text: string }) {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return <span className="small">{text}</span>
  return (
    <a className="small" href={text} target="_blank" rel="noreferrer">
      {new URL(text).hostname}
    </a>
  )
}
