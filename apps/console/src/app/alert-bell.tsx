import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../i18n/format.ts'
import { useText } from '../i18n/messages.ts'
import { firingAlertsQuery } from '../shared/api/queries.ts'
import { useMay } from '../shared/session.ts'
import { shellMessages } from './shell.messages.ts'

/** How many alerts fire that nobody looks after; the way to them. */
export function AlertBell() {
  const t = useText(shellMessages)
  const format = useFormat()
  const mayRead = useMay('alerts:read')
  const alerts = useQuery({ ...firingAlertsQuery, enabled: mayRead }).data
  if (!mayRead) return null
  const open = alerts?.items.filter(({ acknowledged }) => acknowledged === null).length ?? 0
  const count = `${format.count(open)}${alerts?.nextCursor == null ? '' : '+'}`
  return (
    <Link to="/alerts" className="bell">
      <svg
        width="16"
        height="16"
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.3"
        aria-hidden="true"
      >
        <path d="M3.2 11.6c1-1 1.2-2.2 1.2-4.2a3.6 3.6 0 0 1 7.2 0c0 2 .2 3.2 1.2 4.2zM6.6 13.8h2.8M8 3.6V1.8" />
      </svg>
      {open === 0 ? null : (
        <span className="bell-count num" aria-hidden="true">
          {count}
        </span>
      )}
      <span className="vh" role="status">
        {open === 0 ? t('alertsNone') : t('alerts', { count })}
      </span>
    </Link>
  )
}
