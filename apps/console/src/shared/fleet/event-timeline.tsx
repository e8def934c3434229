import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import type { ChipEvent } from '../api/types.ts'
import type { CsvColumn } from '../csv.ts'
import { isChipState, markOfChip, useChipStateWord } from '../ui/chip-state.tsx'
import { type State, StateMark } from '../ui/state-mark.tsx'
import { When } from '../ui/when.tsx'
import './fleet-parts.css'

const messages = defineMessages({
  found: { en: 'First seen', 'zh-CN': '首次发现' },
  state: { en: '{from} → {to}', 'zh-CN': '{from} → {to}' },
  firstState: { en: 'State {to}', 'zh-CN': '状态：{to}' },
  moved: { en: 'Moved from {from} to {to}', 'zh-CN': '从 {from} 移到 {to}' },
  product: { en: 'Reported as {to} instead of {from}', 'zh-CN': '型号由 {from} 变为 {to}' },
  'driver-version': { en: 'Driver {from} → {to}', 'zh-CN': '驱动 {from} → {to}' },
  'firmware-version': { en: 'Firmware {from} → {to}', 'zh-CN': '固件 {from} → {to}' },
  quarantined: { en: 'Quarantined: nothing new is placed on it', 'zh-CN': '被隔离：不再放置新任务' },
  released: { en: 'Released from quarantine', 'zh-CN': '解除隔离' },
  retired: { en: 'Retired: taken out for good', 'zh-CN': '已退役：已永久移除' },
  restored: { en: 'Restored: no longer retired', 'zh-CN': '已恢复：不再退役' },
  'claimed-twice': {
    en: 'Claimed by two nodes at once: {from} and {to}',
    'zh-CN': '被两个节点同时上报：{from} 与 {to}',
  },
  by: { en: 'by {who}', 'zh-CN': '操作人 {who}' },
  chip: { en: 'chip', 'zh-CN': '芯片' },
})

const marks: Readonly<Record<Exclude<ChipEvent['kind'], 'state'>, State>> = {
  found: 'healthy',
  moved: 'waiting',
  product: 'degraded',
  'driver-version': 'waiting',
  'firmware-version': 'waiting',
  quarantined: 'held',
  released: 'healthy',
  retired: 'held',
  restored: 'waiting',
  'claimed-twice': 'failed',
}

export const eventColumns: readonly CsvColumn<ChipEvent>[] = [
  ['at', (event) => event.at],
  ['chip_id', (event) => event.chipId],
  ['node_id', (event) => event.nodeId],
  ['kind', (event) => event.kind],
  ['from', (event) => event.from],
  ['to', (event) => event.to],
  ['evidence', (event) => event.evidence.map(({ code }) => code).join(' ')],
  ['by', (event) => event.by],
]

function useEventWords(): (event: ChipEvent) => string {
  const t = useText(messages)
  const word = useChipStateWord()
  const named = (state: string | null) => (isChipState(state ?? undefined) ? word(state as 'healthy') : (state ?? '—'))
  return (event) => {
    const params = { from: event.from ?? '—', to: event.to ?? '—' }
    switch (event.kind) {
      case 'state':
        return event.from === null
          ? t('firstState', { to: named(event.to) })
          : t('state', { from: named(event.from), to: named(event.to) })
      case 'found':
      case 'quarantined':
      case 'released':
      case 'retired':
      case 'restored':
        return t(event.kind)
      default:
        return t(event.kind, params)
    }
  }
}

function markOf(event: ChipEvent): State {
  if (event.kind !== 'state') return marks[event.kind]
  const to = event.to ?? undefined
  return isChipState(to) ? markOfChip(to) : 'unknown'
}

interface EventTimelineProps {
  readonly events: readonly ChipEvent[]
  readonly label: string
  /** Names each event's chip, where the list is of more than one. */
  readonly withChip?: boolean
}

/** What happened, newest first, with what was seen at the time. */
export function EventTimeline({ events, label, withChip = false }: EventTimelineProps) {
  const t = useText(messages)
  const format = useFormat()
  const sentence = useCoded()
  const words = useEventWords()
  return (
    <ol className="timeline" aria-label={label}>
      {events.map((event) => (
        <li key={event.id}>
          <StateMark state={markOf(event)} label={words(event)} />
          <span className="small muted timeline-when">
            <When iso={event.at} /> · {format.time(event.at)}
            {event.by === null ? null : ` · ${t('by', { who: event.by })}`}
            {withChip ? (
              <>
                {' · '}
                <Link to="/chips/$chipId" params={{ chipId: event.chipId }}>
                  {t('chip')} {event.chipId}
                </Link>
              </>
            ) : null}
          </span>
          {event.evidence.map((reason) => (
            <span key={`${reason.code} ${JSON.stringify(reason.params)}`} className="small">
              {sentence(reason)}
            </span>
          ))}
        </li>
      ))}
    </ol>
  )
}
