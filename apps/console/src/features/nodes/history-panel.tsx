import { useQuery } from '@tanstack/react-query'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import type { ChipEvent } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import { EventTimeline, eventColumns } from '../../shared/fleet/event-timeline.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { gapsQuery } from './api.ts'
import { nodeMessages } from './nodes.messages.ts'

export function HistoryPanel({ nodeId }: { readonly nodeId: string }) {
  const t = useText(nodeMessages)
  const events = usePages<ChipEvent>(['nodes', nodeId, 'events'], '/api/v1/fleet/events', { node: nodeId }, 50)
  return (
    <Panel
      title={t('history')}
      flush
      extra={
        <ExportButton
          size="small"
          fileName="medley-node-history.csv"
          columns={eventColumns}
          collect={(onProgress) => collectPages<ChipEvent>('/api/v1/fleet/events', { node: nodeId }, onProgress)}
        />
      }
    >
      <QueryView query={events.query}>
        {() =>
          events.rows.length === 0 ? (
            <p className="line muted">{t('noHistory')}</p>
          ) : (
            <>
              <EventTimeline label={t('history')} events={events.rows} withChip />
              <LoadMore pages={events} />
            </>
          )
        }
      </QueryView>
    </Panel>
  )
}

export function GapsPanel({ nodeId }: { readonly nodeId: string }) {
  const t = useText(nodeMessages)
  const format = useFormat()
  const gaps = useQuery(gapsQuery(nodeId))
  return (
    <Panel title={t('gaps')} flush>
      <QueryView query={gaps}>
        {(page) =>
          page.items.length === 0 ? (
            <p className="line muted">{t('noGaps')}</p>
          ) : (
            <ul>
              {page.items.map((gap) => (
                <li key={gap.from} className="gap-line">
                  <span className="num">
                    {format.time(gap.from)} · {format.span((Date.parse(gap.to) - Date.parse(gap.from)) / 1000)}
                  </span>
                  <span className="small muted">{t(gap.reason === 'unknown' ? 'unknown-gap' : gap.reason)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </Panel>
  )
}
