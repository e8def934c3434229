import { Button } from 'antd'
import { useEffect, useRef } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import type { Pages } from '../api/use-pages.ts'

const messages = defineMessages({
  more: { en: 'Load more', 'zh-CN': '加载更多' },
  loaded: { en: '{count} loaded, more to come', 'zh-CN': '已加载 {count} 行，还有更多' },
  all: { en: '{count} in all', 'zh-CN': '共 {count} 行' },
})

/** Loads the next page as the reader comes near the end; also a button, for those who do not scroll. */
export function LoadMore({ pages }: { readonly pages: Pages<unknown> }) {
  const t = useText(messages)
  const format = useFormat()
  const end = useRef<HTMLDivElement>(null)
  const { more, isLoadingMore, rows } = pages
  useEffect(() => {
    if (end.current === null || more === null) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && more(), {
      rootMargin: '600px',
    })
    observer.observe(end.current)
    return () => observer.disconnect()
  }, [more])
  const isWhole = more === null && !isLoadingMore
  return (
    <div ref={end} className="row between paging small muted">
      <span>{t(isWhole ? 'all' : 'loaded', { count: format.count(rows.length) })}</span>
      {isWhole ? null : (
        <Button size="small" loading={isLoadingMore} onClick={() => more?.()}>
          {t('more')}
        </Button>
      )}
    </div>
  )
}
