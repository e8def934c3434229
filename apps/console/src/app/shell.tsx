import { useSuspenseQuery } from '@tanstack/react-query'
import { Outlet, useRouteContext, useRouterState } from '@tanstack/react-router'
import { Drawer } from 'antd'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useText } from '../i18n/messages.ts'
import { sessionQuery } from '../shared/api/queries.ts'
import { useLiveUpdates } from './live.ts'
import { Brand, Rail } from './rail.tsx'
import { rootRoute } from './routes.ts'
import './shell.css'
import { shellMessages } from './shell.messages.ts'
import { TopBar } from './top-bar.tsx'

const SearchPalette = lazy(() => import('./search-palette.tsx').then((module) => ({ default: module.SearchPalette })))

function useSearchShortcut(open: () => void) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        open()
      }
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [open])
}

/** After a page change the reader of a screen starts at the new page, not at the link that led there. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null)
  const path = useRouterState({ select: (state) => state.location.pathname })
  const seen = useRef(path)
  useEffect(() => {
    if (seen.current === path) return
    seen.current = path
    main.current?.focus({ preventScroll: true })
  }, [path])
  return main
}

export function Shell() {
  const t = useText(shellMessages)
  const { data: session } = useSuspenseQuery(sessionQuery)
  const { nav } = useRouteContext({ from: rootRoute.id })
  const [searching, setSearching] = useState(false)
  const [menuOpen, setMenuOpen] = useState(false)
  const openSearch = useRef(() => setSearching(true)).current
  useSearchShortcut(openSearch)
  const connected = useLiveUpdates()
  const main = useFocusOnNavigation()
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t('skip')}
      </a>
      <aside className="rail">
        <div className="rail-stick">
          <Brand />
          <Rail nav={nav} />
        </div>
      </aside>
      <div className="shell-main">
        <TopBar session={session} onSearch={openSearch} onMenu={() => setMenuOpen(true)} />
        <div role="status">{connected ? null : <p className="offline">{t('offline')}</p>}</div>
        <main id="main" ref={main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Drawer
        open={menuOpen}
        onClose={() => setMenuOpen(false)}
        placement="left"
        size={264}
        title="Medley"
        styles={{ body: { padding: 0 } }}
      >
        <Rail nav={nav} onNavigate={() => setMenuOpen(false)} />
      </Drawer>
      <Suspense fallback={null}>
        {searching ? <SearchPalette nav={nav} onClose={() => setSearching(false)} /> : null}
      </Suspense>
    </div>
  )
}
