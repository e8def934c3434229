import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { PageHead } from './page-head.tsx'
import { ProblemNote } from './problem-note.tsx'
import { StateMark } from './state-mark.tsx'

const messages = defineMessages({ loading: { en: 'Loading', 'zh-CN': '加载中' } })

export function Loading() {
  const t = useText(messages)
  return (
    <div className="loading" role="status">
      <StateMark state="working" label={t('loading')} />
    </div>
  )
}

interface QueryViewProps<Data> {
  readonly query: UseQueryResult<Data>
  /** Heading for a page that has nothing else while it loads or when loading failed. */
  readonly title?: string
  readonly children: (data: Data) => ReactNode
}

/** Data once there is some, also while a refetch fails; the first failure shows with a way to try again. */
export function QueryView<Data>({ query, title, children }: QueryViewProps<Data>) {
  if (query.data !== undefined) return children(query.data)
  return (
    <>
      {title === undefined ? null : <PageHead title={title} />}
      {query.isError ? <ProblemNote error={query.error} onRetry={() => void query.refetch()} /> : <Loading />}
    </>
  )
}
