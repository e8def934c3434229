import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { ChipStateMark } from '../../shared/ui/chip-state.tsx'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Empty } from '../../shared/ui/empty.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { sorted } from '../../shared/ui/sorted.ts'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { cardsQuery } from './api.ts'
import { nodeMessages } from './nodes.messages.ts'

/** What is plugged in, each card with its chips. */
export function CardsPanel({ nodeId }: { readonly nodeId: string }) {
  const t = useText(nodeMessages)
  const format = useFormat()
  const { locale } = useLocale()
  const cards = useQuery(cardsQuery(nodeId))
  return (
    <Panel
      title={t('cards')}
      flush
      extra={
        <Link to="/chips" search={{ node: nodeId }}>
          {t('chips')}
        </Link>
      }
    >
      <QueryView query={cards}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title={t('noCards')} action={<CopyBlock label={t('noCards')} text="npx medley doctor" />}>
              {t('noCardsNext')}
            </Empty>
          ) : (
            <DataTable
              caption={t('cards')}
              rows={sorted(page.items, (card) => card.cardKey, false, locale)}
              rowKey={(card) => card.cardKey}
              columns={[
                {
                  key: 'card',
                  title: t('card'),
                  sortBy: (card) => card.product,
                  render: (card) => (
                    <>
                      <span className="strong">{card.product}</span>
                      <div className="small muted mono">{card.vendor}</div>
                    </>
                  ),
                },
                {
                  key: 'chips',
                  title: t('chips'),
                  render: (card) => (
                    <ul className="card-chips">
                      {card.chips.map((chip) => (
                        <li key={chip.id} className="row">
                          <Link to="/chips/$chipId" params={{ chipId: chip.id }} className="mono small">
                            {chip.uuid}
                          </Link>
                          <ChipStateMark state={chip.state} />
                        </li>
                      ))}
                    </ul>
                  ),
                },
                {
                  key: 'serial',
                  title: t('serial'),
                  render: (card) =>
                    card.serial === null ? <Unknown reason={t('notReported')} /> : <code>{card.serial}</code>,
                },
                {
                  key: 'power',
                  title: t('cardPower'),
                  align: 'right',
                  sortBy: (card) => card.powerWatts,
                  render: (card) =>
                    card.powerWatts === null ? (
                      <Unknown reason={t('notReported')} />
                    ) : (
                      <span className="num">{format.measure(card.powerWatts, 'W')}</span>
                    ),
                },
              ]}
            />
          )
        }
      </QueryView>
    </Panel>
  )
}
