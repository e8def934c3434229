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
      <div className="heading">
        {crumb}
        <div className="title">
          <h1>{title}</h1>
          {state}
        </div>
        {sub === undefined ? null : <div className="sub">{sub}</div>}
      </div>
      {action === undefined ? null : <div className="row">{action}</div>}
    </div>
  )
}
