import { Link } from '@tanstack/react-router'
import { defineMessages, useText } from '../i18n/messages.ts'
import { PageHead } from '../shared/ui/page-head.tsx'

const messages = defineMessages({
  title: { en: 'No such page', 'zh-CN': '没有这个页面' },
  why: {
    en: 'The address may be old, or the thing it named is gone.',
    'zh-CN': '地址可能过期了，或者它指向的东西已经不在了。',
  },
  home: { en: 'Go to the overview', 'zh-CN': '回到总览' },
})

export function NotFound() {
  const t = useText(messages)
  return (
    <main className="outside">
      <PageHead title={t('title')} sub={t('why')} />
      <Link to="/" className="button-link">
        {t('home')}
      </Link>
    </main>
  )
}
