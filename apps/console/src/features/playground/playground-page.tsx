import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Button, Select } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { deploymentsQuery } from '../../shared/api/queries.ts'
import type { Deployment } from '../../shared/api/types.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { AnswerView } from './answer-view.tsx'
import type { ChatSettings } from './chat-stream.ts'
import { Composer } from './composer.tsx'
import './playground.css'
import { playgroundMessages } from './playground.messages.ts'
import { SettingsPanel } from './settings-panel.tsx'
import { type Chat, useChat } from './use-chat.ts'

const initialSettings: ChatSettings = { system: '', temperature: 0.7, maxTokens: 256, seed: null }
const examples = ['example1', 'example2', 'example3'] as const

function Examples({ onAsk }: { readonly onAsk: (question: string) => void }) {
  const t = useText(playgroundMessages)
  return (
    <Empty
      title={t('emptyTitle')}
      action={
        <div className="row">
          {examples.map((example) => (
            <Button key={example} onClick={() => onAsk(t(example))}>
              {t(example)}
            </Button>
          ))}
        </div>
      }
    >
      {t('emptyWhy')}
    </Empty>
  )
}

/** The whole answer once, when it is complete: reading every token aloud would drown the reader. */
function Announcement({ chat }: { readonly chat: Chat }) {
  const t = useText(playgroundMessages)
  const answer = chat.turns.at(-1)?.answer
  const words =
    answer === undefined
      ? ''
      : answer.state === 'streaming'
        ? t('streaming')
        : answer.state === 'stopped'
          ? t('stopped')
          : answer.state === 'done'
            ? t('finished', { text: answer.text })
            : ''
  return (
    <div className="vh" aria-live="polite">
      {words}
    </div>
  )
}

/** Follows the stream, but only while the reader is at its end. */
function useFollow(turns: Chat['turns']) {
  const end = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const onScroll = () => {
      atEnd.current = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 160
    }
    window.addEventListener('scroll', onScroll, { passive: true })
    return () => window.removeEventListener('scroll', onScroll)
  }, [])
  useEffect(() => {
    if (turns.length > 0 && atEnd.current) end.current?.scrollIntoView({ block: 'end' })
  }, [turns])
  return end
}

function Talk({ deployments }: { readonly deployments: readonly Deployment[] }) {
  const t = useText(playgroundMessages)
  const navigate = useNavigate()
  const search = useSearch({ from: '/shell/playground' })
  const [settings, setSettings] = useState(initialSettings)
  const chat = useChat()
  const end = useFollow(chat.turns)
  const ready = deployments.filter((deployment) => deployment.state === 'ready' || deployment.state === 'degraded')
  const model =
    ready.find((deployment) => deployment.servedModel === search.model)?.servedModel ?? ready[0]?.servedModel
  const { stop } = chat
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key === 'Escape') stop()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [stop])
  if (model === undefined && chat.turns.length === 0) {
    return (
      <div className="panel">
        <Empty title={t('noneTitle')} action={<Link to="/">{t('noneGo')}</Link>}>
          {t('noneWhy')}
        </Empty>
      </div>
    )
  }
  const ask = (question: string) => {
    if (model !== undefined) chat.ask(question, model, settings)
  }
  return (
    <div className="talk">
      <section className="panel settings-side" aria-label={t('settings')}>
        <div className="settings">
          <div>
            <label htmlFor="model">{t('deployment')}</label>
            <Select
              id="model"
              value={model ?? null}
              options={deployments.map((deployment) => ({
                value: deployment.servedModel,
                label:
                  deployment.state === 'ready'
                    ? deployment.servedModel
                    : t('notReady', { name: deployment.servedModel, state: deployment.state }),
                disabled: !ready.includes(deployment),
              }))}
              onChange={(value: string) =>
                void navigate({ to: '/playground', search: { model: value }, replace: true })
              }
            />
          </div>
        </div>
        <details className="settings-fold" open={window.innerWidth > 900}>
          <summary>{t('settings')}</summary>
          <SettingsPanel settings={settings} onChange={setSettings} />
        </details>
      </section>
      <section className="talk-main" aria-label={t('conversation')}>
        <div className="turns">
          {chat.turns.length === 0 ? <Examples onAsk={ask} /> : null}
          {chat.turns.map((turn) => (
            <article key={turn.id} className="turn">
              <div className="question">
                <div className="speaker">{t('you')}</div>
                <div className="said">{turn.question}</div>
              </div>
              <AnswerView
                answer={turn.answer}
                onRetry={chat.busy || model === undefined ? null : () => chat.retry(turn.id, model, settings)}
              />
            </article>
          ))}
        </div>
        <Announcement chat={chat} />
        <div className="composer-dock">
          <Composer
            busy={chat.busy}
            disabled={model === undefined}
            onSend={ask}
            onStop={chat.stop}
            onClear={chat.turns.length === 0 ? null : chat.clear}
          />
        </div>
        <div ref={end} />
      </section>
    </div>
  )
}

export function PlaygroundPage() {
  const t = useText(playgroundMessages)
  const deployments = useQuery(deploymentsQuery)
  return (
    <>
      <PageHead title={t('title')} />
      <QueryView query={deployments}>{(page) => <Talk deployments={page.items} />}</QueryView>
    </>
  )
}
