import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import { deploymentsQuery, modelsQuery } from '../../shared/api/queries.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { PageHead } from '../../shared/ui/page-head.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { useDeploymentColumns, useModelColumns } from './columns.tsx'
import './models.css'
import { modelMessages } from './models.messages.ts'

function DeploymentsPanel() {
  const t = useText(modelMessages)
  const deployments = useQuery(deploymentsQuery)
  const columns = useDeploymentColumns()
  return (
    <Panel title={t('deployments')} flush>
      <QueryView query={deployments}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('noDeployments')} action={<Link to="/">{t('seeOverview')}</Link>}>
              {t('noDeploymentsNext')}
            </Empty>
          ) : (
            <DataTable caption={t('deployments')} rows={page.items} rowKey={(row) => row.id} columns={columns} />
          )
        }
      </QueryView>
    </Panel>
  )
}

function ModelsPanel() {
  const t = useText(modelMessages)
  const models = useQuery(modelsQuery)
  const columns = useModelColumns()
  return (
    <Panel title={t('models')} flush>
      <QueryView query={models}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('noModels')} action={<CopyBlock label={t('doctor')} text="npx medley doctor" />}>
              {t('noModelsNext')}
            </Empty>
          ) : (
            <DataTable caption={t('models')} rows={page.items} rowKey={(row) => row.id} columns={columns} />
          )
        }
      </QueryView>
    </Panel>
  )
}

export function ModelsPage() {
  const t = useText(modelMessages)
  return (
    <>
      <PageHead title={t('title')} />
      <div className="stack">
        <DeploymentsPanel />
        <ModelsPanel />
      </div>
    </>
  )
}
