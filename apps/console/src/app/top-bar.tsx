import {
  LogoutOutlined,
  MenuOutlined,
  MoonOutlined,
  SearchOutlined,
  SunOutlined,
  UserOutlined,
} from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Button, Dropdown } from 'antd'
import { useLocale } from '../i18n/locale.tsx'
import { useText } from '../i18n/messages.ts'
import { send } from '../shared/api/client.ts'
import type { Session } from '../shared/api/types.ts'
import { type ThemeChoice, themeChoices, useTheme } from '../theme/theme.tsx'
import { AlertBell } from './alert-bell.tsx'
import { shellMessages } from './shell.messages.ts'

interface TopBarProps {
  readonly session: Session
  readonly onSearch: () => void
  readonly onMenu: () => void
}

function useSignOut() {
  const queryClient = useQueryClient()
  const navigate = useNavigate()
  return async () => {
    // Leaving must work even when the server is gone: what is on the page is forgotten either way.
    await send('/api/auth/sign-out', { method: 'POST', body: {} }).catch(() => undefined)
    queryClient.clear()
    await navigate({ to: '/sign-in' })
  }
}

export function TopBar({ session, onSearch, onMenu }: TopBarProps) {
  const t = useText(shellMessages)
  const { locale, choose } = useLocale()
  const theme = useTheme()
  const signOut = useSignOut()
  return (
    <header className="top-bar">
      <Button
        className="menu-button"
        type="text"
        icon={<MenuOutlined />}
        aria-label={t('openNavigation')}
        onClick={onMenu}
      />
      <span className="tenant">
        <span className="vh">{t('tenant')} </span>
        {session.tenant.name[locale]}
      </span>
      <button type="button" className="search-button" onClick={onSearch} aria-keyshortcuts="Control+K">
        <SearchOutlined aria-hidden="true" />
        <span className="search-word">{t('search')}</span>
        <kbd>Ctrl K</kbd>
      </button>
      <span className="top-tools">
        <AlertBell />
        <Button
          type="text"
          aria-label={`${t('language')}: ${t('languageLabel')}`}
          onClick={() => choose(locale === 'en' ? 'zh-CN' : 'en')}
        >
          {t('language')}
        </Button>
        <Dropdown
          trigger={['click']}
          menu={{
            selectable: true,
            selectedKeys: [theme.choice],
            items: themeChoices.map((choice) => ({ key: choice, label: t(choice) })),
            onClick: ({ key }) => {
              const choice: ThemeChoice | undefined = themeChoices.find((known) => known === key)
              if (choice !== undefined) theme.choose(choice)
            },
          }}
        >
          <Button
            type="text"
            aria-label={t('theme')}
            icon={theme.choice === 'dark' ? <MoonOutlined /> : <SunOutlined />}
          />
        </Dropdown>
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              { key: 'who', disabled: true, label: session.user.email ?? session.user.name },
              { type: 'divider' },
              { key: 'out', icon: <LogoutOutlined />, label: t('signOut'), onClick: () => void signOut() },
            ],
          }}
        >
          <Button type="text" icon={<UserOutlined />} aria-label={`${t('account')}: ${session.user.name}`}>
            <span className="account-name">{session.user.name}</span>
          </Button>
        </Dropdown>
      </span>
    </header>
  )
}
