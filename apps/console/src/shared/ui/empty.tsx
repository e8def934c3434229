import type { ReactNode } from 'react'

/** Nothing here yet, what that means, and the next step. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      <div className="muted">{children}</div>
      {action}
    </div>
  )
}
