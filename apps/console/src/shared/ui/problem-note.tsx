import { Button } from 'antd'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { ApiProblem } from '../api/client.ts'
import { Prose } from './prose.tsx'

const messages = defineMessages({
  unexpected: { en: 'Something in the console failed', 'zh-CN': '控制台出错了' },
  reload: {
    en: 'Reload the page; if it stays, report the code below.',
    'zh-CN': '请刷新页面；若仍出现，请附上下面的代码反馈。',
  },
  retry: { en: 'Try again', 'zh-CN': '重试' },
  code: { en: 'Code {code}', 'zh-CN': '代码 {code}' },
})

interface ProblemNoteProps {
  readonly error: unknown
  readonly onRetry?: () => void
  /** The note is the whole page, so its title is the page's. */
  readonly alone?: boolean
}

/** What happened, why, what to do, and the code to quote. */
export function ProblemNote({ error, onRetry, alone = false }: ProblemNoteProps) {
  const t = useText(messages)
  const problem =
    error instanceof ApiProblem
      ? error.problem
      : {
          title: t('unexpected'),
          detail: error instanceof Error ? error.message : String(error),
          hint: t('reload'),
          code: 'console.unexpected',
          errors: [],
        }
  return (
    <div className="problem" role="alert">
      {alone ? <h1>{problem.title}</h1> : <strong>{problem.title}</strong>}
      {problem.detail === null ? null : <span>{problem.detail}</span>}
      {problem.errors.map((entry) => (
        <span key={`${entry.path} ${entry.message}`}>
          <code>{entry.path}</code> {entry.message}
        </span>
      ))}
      {problem.hint === '' ? null : (
        <span>
          <Prose text={problem.hint} />
        </span>
      )}
      <span className="row between">
        <span className="code mono">{t('code', { code: problem.code })}</span>
        {onRetry === undefined ? null : (
          <Button size="small" onClick={onRetry}>
            {t('retry')}
          </Button>
        )}
      </span>
    </div>
  )
}
