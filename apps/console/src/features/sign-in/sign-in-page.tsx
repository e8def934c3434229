import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Button } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { ApiProblem, send } from '../../shared/api/client.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import './sign-in.css'
import { signInMessages } from './sign-in.messages.ts'

const linkCommand = 'npx medley sign-in-link'

/** Takes the token out of the address bar at once, so that it stays in no history, bookmark or screenshot. */
function takeToken(): string | null {
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token')
  if (token !== null)
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search)
  return token
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiProblem && error.problem.status >= 400 && error.problem.status < 500
}

function useEnter() {
  const queryClient = useQueryClient()
  const navigate = useNavigate()
  const { from } = useSearch({ from: '/sign-in' })
  return async () => {
    queryClient.clear()
    await navigate({ href: from ?? '/', replace: true })
  }
}

function LinkRefused({ error }: { readonly error: unknown }) {
  const t = useText(signInMessages)
  if (!isRefusal(error)) return <ProblemNote error={error} />
  return (
    <div className="problem" role="alert">
      <strong>{t('linkSpent')}</strong>
      <span>{t('linkSpentWhy')}</span>
      <span>{t('linkNew')}</span>
      <CopyBlock text={linkCommand} label={t('linkCommand')} />
    </div>
  )
}

/** People and passwords come with people management; until then the machine's operator signs in by link. */
function HowToSignIn() {
  const t = useText(signInMessages)
  return (
    <ol className="ways">
      <li>{t('lead')}</li>
      <li>
        <p>{t('linkLost')}</p>
        <CopyBlock text={linkCommand} label={t('linkCommand')} />
        <p className="small muted">{t('linkRules')}</p>
      </li>
    </ol>
  )
}

function LanguageButton() {
  const { locale, choose } = useLocale()
  const other = locale === 'en' ? 'zh-CN' : 'en'
  return (
    <Button type="text" lang={other} onClick={() => choose(other)}>
      {other === 'en' ? 'English' : '中文'}
    </Button>
  )
}

export function SignInPage() {
  const t = useText(signInMessages)
  const enter = useEnter()
  const [token] = useState(takeToken)
  const [error, setError] = useState<unknown>(null)
  const [verifying, setVerifying] = useState(token !== null)
  const spent = useRef(false)
  useEffect(() => {
    document.title = `${t('title')} · Medley`
  }, [t])
  useEffect(() => {
    // A one-time token must be sent once: React runs effects twice while developing.
    if (token === null || spent.current) return
    spent.current = true
    send('/api/auth/one-time-link/verify', { method: 'POST', body: { token } })
      .then(enter)
      .catch((failure: unknown) => {
        setError(failure)
        setVerifying(false)
      })
  }, [token, enter])
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <div className="row between">
          <span className="brand">
            <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
              <rect x="1" y="11" width="5.4" height="12" rx="1.4" />
              <rect x="9.3" y="1" width="5.4" height="22" rx="1.4" />
              <rect x="17.6" y="7" width="5.4" height="16" rx="1.4" />
            </svg>
            Medley
          </span>
          <LanguageButton />
        </div>
        <h1>{t('title')}</h1>
        {verifying ? (
          <p role="status">
            <StateMark state="working" label={t('verifying')} />
          </p>
        ) : error === null ? (
          <HowToSignIn />
        ) : (
          <LinkRefused error={error} />
        )}
      </div>
    </main>
  )
}
