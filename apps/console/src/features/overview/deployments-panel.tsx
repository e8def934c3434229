import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Status } from '../../shared/api/types.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { StateMark, stateOf } from '../../shared/ui/state-mark.tsx'
import { useStateWord } from '../../shared/ui/state-word.ts'
import { overviewMessages } from './overview.messages.ts'

export function DeploymentsPanel({ deployments }: { readonly deployments: Status['deployments'] }) {
  const t = useText(overviewMessages)
  const format = useFormat()
  const word = useStateWord()
  return (
    <Panel title={t('deployments')} flush extra={<Link to="/models">{t('allModels')}</Link>}>
      {deployments.length === 0 ? (
        <Empty title={t('noDeployments')}>{t('noDeploymentsNext')}</Empty>
      ) : (
        <ul>
          {deployments.map((deployment) => (
            <li key={deployment.id} className="line">
              <div className="chip-name">
                <Link to="/deployments/$deploymentId" params={{ deploymentId: deployment.id }}>
                  {deployment.name}
                </Link>
                <span className="row small">
                  <StateMark state={stateOf(deployment.state)} label={word(deployment.state)} />
                  {deployment.restarts > 0 ? (
                    <span className="muted">{t('restarts', { count: format.count(deployment.restarts) })}</span>
                  ) : null}
                </span>
              </div>
              {deployment.state === 'ready' ? (
                <Link to="/playground" search={{ model: deployment.servedModel }}>
                  {t('chat')}
                  <span className="vh"> {deployment.name}</span>
                </Link>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
