import { Link } from '@tanstack/react-router'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { type Answer, decodeRate, timeToFirstToken } from './conversation.ts'
import { playgroundMessages } from './playground.messages.ts'

function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">{children}</dd>
    </div>
  )
}

/** Speed, tokens and lineage of one answer: what it cost and what it came from. */
function Figures({ answer }: { readonly answer: Answer }) {
  const t = useText(playgroundMessages)
  const format = useFormat()
  const first = timeToFirstToken(answer)
  const rate = decodeRate(answer)
  const { usage } = answer
  const tokens = (known: NonNullable<Answer['usage']>) => {
    const counts = { prompt: format.count(known.promptTokens), completion: format.count(known.completionTokens) }
    return known.cachedTokens === null || known.cachedTokens === 0
      ? t('tokensOf', counts)
      : t('tokensCached', { ...counts, cached: format.count(known.cachedTokens) })
  }
  return (
    <dl className="figures">
      <Figure name={t('ttft')}>
        {first === null ? <Unknown reason={t('noFirst')} /> : format.milliseconds(first)}
      </Figure>
      <Figure name={t('rate')}>
        {rate === null ? <Unknown reason={t('noRate')} /> : format.measure(rate, 'tok/s')}
      </Figure>
      <Figure name={t('tokens')}>{usage === null ? <Unknown reason={t('noTokens')} /> : tokens(usage)}</Figure>
      <Figure name={t('revision')}>
        {answer.revisionId === null ? (
          <Unknown reason={t('noLineage')} />
        ) : (
          <Link to="/revisions/$revisionId" params={{ revisionId: answer.revisionId }} className="mono id">
            {answer.revisionId}
          </Link>
        )}
      </Figure>
      <Figure name={t('request')}>
        {answer.requestId === null ? (
          <Unknown reason={t('noLineage')} />
        ) : (
          <Link to="/usage" search={{ requestId: answer.requestId }} className="mono id">
            {answer.requestId}
          </Link>
        )}
      </Figure>
    </dl>
  )
}

function Failure({ answer }: { readonly answer: Answer }) {
  const t = useText(playgroundMessages)
  const { error } = answer
  if (error === null) return null
  const broken = error.code === 'console.stream-broken'
  return (
    <div className="problem" role="alert">
      <strong>{answer.text === '' ? t('refused') : t('failed')}</strong>
      <span>{broken ? t('broken') : error.message}</span>
      <span>{error.hint ?? t('failedHint')}</span>
      <span className="code mono">
        {t('code')} {error.code}
      </span>
    </div>
  )
}

function Ending({ answer }: { readonly answer: Answer }) {
  const t = useText(playgroundMessages)
  if (answer.state === 'streaming') {
    return <StateMark state="working" label={answer.text === '' ? t('thinking') : t('streaming')} />
  }
  if (answer.state === 'stopped') return <StateMark state="waiting" label={t('stopped')} />
  if (answer.finishReason === 'length') return <StateMark state="degraded" label={t('cutShort')} />
  return answer.state === 'done' && answer.text === '' ? <span className="muted">{t('emptyAnswer')}</span> : null
}

interface AnswerViewProps {
  readonly answer: Answer
  /** Absent while another answer is under way. */
  readonly onRetry: (() => void) | null
}

export function AnswerView({ answer, onRetry }: AnswerViewProps) {
  const t = useText(playgroundMessages)
  const over = answer.state !== 'streaming'
  return (
    <div className="answer" aria-busy={!over}>
      <div className="speaker">{answer.model}</div>
      <div className="said">
        {answer.text}
        {over || answer.text === '' ? null : <span className="caret" aria-hidden="true" />}
      </div>
      <Ending answer={answer} />
      <Failure answer={answer} />
      {over ? (
        <div className="answer-foot">
          <Figures answer={answer} />
          {onRetry === null ? null : (
            <Button size="small" onClick={onRetry}>
              {t('retry')}
            </Button>
          )}
        </div>
      ) : null}
    </div>
  )
}
