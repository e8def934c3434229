import { Link } from '@tanstack/react-router'

interface ViewTabsProps {
  readonly label: string
  readonly tabs: readonly { readonly key: string; readonly title: string }[]
  readonly current: string
}

/** Views of one page, each with an address of its own (`?view=`); the first is the page's plain address. */
export function ViewTabs({ label, tabs, current }: ViewTabsProps) {
  return (
    <nav className="view-tabs" aria-label={label}>
      {tabs.map(({ key, title }, place) => (
        <Link
          key={key}
          to="."
          search={place === 0 ? {} : { view: key }}
          {...(key === current ? { 'aria-current': 'page' as const } : {})}
          // Only the very address counts as current, or the plain one would stay marked in every view.
          activeOptions={{ exact: true, includeSearch: true }}
        >
          {title}
        </Link>
      ))}
    </nav>
  )
}
