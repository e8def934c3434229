import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useText } from '../../i18n/messages.ts'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { recordsQuery } from './api.ts'
import { chipMessages } from './chips.messages.ts'

export function RecordsPanel({ chipUuid }: { readonly chipUuid: string }) {
  const t = useText(chipMessages)
  const records = useQuery(recordsQuery(chipUuid))
  return (
    <Panel title={t('records')} flush>
      <QueryView query={records}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('noRecords')}>{t('noRecordsNext')}</Empty>
          ) : (
            <ul>
              {page.items.map((record) => (
                <li key={record.id} className="line">
                  <Link to="/records/$recordId" params={{ recordId: record.id }}>
                    {record.suite === 'quick' ? t('quick') : record.suite} · <When iso={record.createdAt} />
                  </Link>
                  <StateMark
                    state={record.verified ? 'healthy' : 'failed'}
                    label={record.verified ? t('verified') : t('notVerified')}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Panel>
  )
}
