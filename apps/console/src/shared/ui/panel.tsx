import { type ReactNode, useId } from 'react'

interface PanelProps {
  readonly title: string
  readonly extra?: ReactNode
  /** Tables reach the border. */
  readonly flush?: boolean
  readonly children: ReactNode
}

export function Panel({ title, extra, flush = false, children }: PanelProps) {
  const heading = useId()
  return (
    <section className="panel" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{title}</h2>
        {extra}
      </header>
      <div className={flush ? 'flush' : 'body'}>{children}</div>
    </section>
  )
}
