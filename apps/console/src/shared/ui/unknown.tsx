import { Tooltip } from 'antd'

/** An unknown value: never 0, always with its reason, which focus and screen readers reach too. */
export function Unknown({ reason }: { readonly reason: string }) {
  return (
    <Tooltip title={reason} trigger={['hover', 'focus', 'click']}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the reason must be reachable by keyboard */}
      <span className="muted" tabIndex={0} role="note">
        —<span className="vh"> {reason}</span>
      </span>
    </Tooltip>
  )
}
