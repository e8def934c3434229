import { Button } from 'antd'
import { useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { DescribeDialog } from './describe-dialog.tsx'
import { nodeMessages } from './nodes.messages.ts'

/** What people say of the node: where it stands, what it is for. */
export function DescribePanel({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  const mayChange = useMay('nodes:write')
  const [editing, setEditing] = useState(false)
  const labels = Object.entries(node.labels)
  const edit = mayChange ? (
    <Button size="small" onClick={() => setEditing(true)}>
      {t('edit')}
      <span className="vh"> {t('describe')}</span>
    </Button>
  ) : null
  const said = (value: string | null) => value ?? <Unknown reason={t('noPlace')} />
  const none = <span className="muted">{t('noLabels')}</span>
  return (
    <Panel title={t('describe')} extra={edit}>
      <FactList
        facts={[
          { name: t('rack'), value: said(node.place.rack) },
          { name: t('spine'), value: said(node.place.spine) },
          {
            name: t('labels'),
            wide: true,
            value:
              labels.length === 0 ? (
                none
              ) : (
                <span className="row features">
                  {labels.map(([key, value]) => (
                    <span key={key} className="chiplet mono">
                      {value === '' ? key : `${key}=${value}`}
                    </span>
                  ))}
                </span>
              ),
          },
          {
            name: t('taints'),
            wide: true,
            value:
              node.taints.length === 0 ? (
                none
              ) : (
                <ul>
                  {node.taints.map((taint) => (
                    <li key={`${taint.key} ${taint.effect}`}>
                      <span className="chiplet mono">
                        {taint.value === '' ? taint.key : `${taint.key}=${taint.value}`}
                      </span>{' '}
                      <span className="small muted">{t(taint.effect)}</span>
                    </li>
                  ))}
                </ul>
              ),
          },
        ]}
      />
      {editing ? <DescribeDialog node={node} onClose={() => setEditing(false)} /> : null}
    </Panel>
  )
}
