import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useLocale } from '../i18n/locale.tsx'
import { useText } from '../i18n/messages.ts'
import { sessionQuery } from '../shared/api/queries.ts'
import type { NavEntry, NavGroup } from './routes.ts'
import { shellMessages } from './shell.messages.ts'

const groups: readonly NavGroup[] = ['home', 'compute', 'models', 'operations']

export function Brand() {
  return (
    <Link to="/" className="brand">
      <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
        <rect x="1" y="11" width="5.4" height="12" rx="1.4" />
        <rect x="9.3" y="1" width="5.4" height="22" rx="1.4" />
        <rect x="17.6" y="7" width="5.4" height="16" rx="1.4" />
      </svg>
      Medley
    </Link>
  )
}

interface RailProps {
  readonly nav: readonly NavEntry[]
  readonly onNavigate?: () => void
}

export function Rail({ nav, onNavigate }: RailProps) {
  const t = useText(shellMessages)
  const { locale } = useLocale()
  const permissions = useQuery(sessionQuery).data?.permissions ?? []
  const may = (permission: string) => permissions.includes(permission)
  return (
    <nav className="rail-nav" aria-label={t('navigation')}>
      {groups.map((group) => {
        const entries = nav.filter((entry) => entry.group === group && (entry.needs === undefined || may(entry.needs)))
        if (entries.length === 0) return null
        return (
          <div key={group} className="rail-group">
            {group === 'home' ? null : <div className="rail-heading">{t(group)}</div>}
            <ul>
              {entries.map((entry) => (
                <li key={entry.to}>
                  <Link
                    to={entry.to}
                    activeOptions={{ exact: entry.to === '/', includeSearch: false }}
                    activeProps={{ className: 'active', 'aria-current': 'page' }}
                    {...(onNavigate === undefined ? {} : { onClick: onNavigate })}
                  >
                    <span aria-hidden="true">{entry.icon}</span>
                    {entry.label[locale]}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        )
      })}
    </nav>
  )
}
