import { useText } from '../../i18n/messages.ts'
import { collectPages } from '../../shared/api/pages.ts'
import type { ChipEvent } from '../../shared/api/types.ts'
import { usePages } from '../../shared/api/use-pages.ts'
import { EventTimeline, eventColumns } from '../../shared/fleet/event-timeline.tsx'
import { ExportButton } from '../../shared/ui/export-button.tsx'
import { LoadMore } from '../../shared/ui/load-more.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { standingMessages } from './readings.messages.ts'

/** Answers “what happened to this card last month”. */
export function HistoryPanel({ chipId }: { readonly chipId: string }) {
  const t = useText(standingMessages)
  const path = `/api/v1/chips/${encodeURIComponent(chipId)}/events`
  const events = usePages<ChipEvent>(['chips', chipId, 'events'], path, {}, 30)
  return (
    <Panel
      title={t('history')}
      flush
      extra={
        <ExportButton
          size="small"
          fileName="medley-chip-history.csv"
          columns={eventColumns}
          collect={(onProgress) => collectPages<ChipEvent>(path, {}, onProgress)}
        />
      }
    >
      <QueryView query={events.query}>
        {() =>
          events.rows.length === 0 ? (
            <p className="line muted">{t('noHistory')}</p>
          ) : (
            <>
              <EventTimeline label={t('history')} events={events.rows} />
              <LoadMore pages={events} />
            </>
          )
        }
      </QueryView>
    </Panel>
  )
}
