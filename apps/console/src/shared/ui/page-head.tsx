import { type ReactNode, useEffect } from 'react'

interface PageHeadProps {
  readonly title: string
  readonly state?: ReactNode
  readonly action?: ReactNode
  readonly sub?: ReactNode
  readonly crumb?: ReactNode
}

/** Title line with the state and the one main action; also names the browser tab. */
export function PageHead({ title, state, action, sub, crumb }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Medley`
  }, [title])
  return (
    <div className="page-head">
      <div className="title">
        {crumb === undefined ? null : <div style={{ flexBasis: '100%' }}>{crumb}</div>}
        <h1>{title}</h1>
        {state}
        {sub === undefined ? null : <div className="sub">{sub}</div>}
      </div>
      {action === undefined ? null : <div className="row">{action}</div>}
    </div>
  )
}
