import { Checkbox } from 'antd'
import { type ReactNode, useRef, useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { useRowWindow } from './row-window.ts'
import { type SortValue, sorted } from './sorted.ts'
import './table.css'

const messages = defineMessages({
  selectAll: { en: 'Select all rows', 'zh-CN': '选择全部' },
  select: { en: 'Select {name}', 'zh-CN': '选择 {name}' },
})

export interface Column<Row> {
  readonly key: string
  readonly title: string
  readonly render: (row: Row) => ReactNode
  readonly align?: 'right'
  readonly width?: string
  /** What the column sorts by; without it the column does not sort. Unknown values come last either way. */
  readonly sortBy?: (row: Row) => SortValue
}

/** Rows a reader has marked, by key. */
export interface Selection<Row> {
  readonly selected: ReadonlySet<string>
  readonly onChange: (selected: ReadonlySet<string>) => void
  /** Names the row for screen readers. */
  readonly nameOf: (row: Row) => string
}

interface DataTableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Marks rows of simulated things. */
  readonly hatched?: (row: Row) => boolean
  readonly selection?: Selection<Row>
  /** Of one row, in pixels: given for long lists, of which only the rows in sight are drawn. */
  readonly rowPixels?: number
}

interface Order {
  readonly key: string
  readonly descending: boolean
}

/** First click: upwards; second: downwards; third: as the server gave them. */
function nextOrder(order: Order | null, key: string): Order | null {
  if (order?.key !== key) return { key, descending: false }
  return order.descending ? null : { key, descending: true }
}

interface HeadCellProps<Row> {
  readonly column: Column<Row>
  readonly order: Order | null
  readonly onOrder: (order: Order | null) => void
}

function HeadCell<Row>({ column, order, onOrder }: HeadCellProps<Row>) {
  const active = order?.key === column.key
  const direction = !active ? 'none' : order.descending ? 'descending' : 'ascending'
  return (
    <th
      scope="col"
      className={column.align ?? ''}
      {...(column.sortBy === undefined ? {} : { 'aria-sort': direction })}
      {...(column.width === undefined ? {} : { style: { width: column.width } })}
    >
      {column.sortBy === undefined ? (
        column.title
      ) : (
        <button type="button" className={`sort ${direction}`} onClick={() => onOrder(nextOrder(order, column.key))}>
          {column.title}
          <svg width="8" height="12" viewBox="0 0 8 12" aria-hidden="true">
            <path className="up" d="M4 1l3 4H1z" />
            <path className="down" d="M4 11l3-4H1z" />
          </svg>
        </button>
      )}
    </th>
  )
}

function SelectAll({
  keys,
  selection,
}: {
  readonly keys: readonly string[]
  readonly selection: Pick<Selection<unknown>, 'selected' | 'onChange'>
}) {
  const t = useText(messages)
  const marked = keys.filter((key) => selection.selected.has(key)).length
  return (
    <th scope="col" className="select">
      <Checkbox
        aria-label={t('selectAll')}
        checked={marked > 0 && marked === keys.length}
        indeterminate={marked > 0 && marked < keys.length}
        onChange={(event) => selection.onChange(new Set(event.target.checked ? keys : []))}
      />
    </th>
  )
}

function SelectCell<Row>({ row, id, selection }: { row: Row; id: string; selection: Selection<Row> }) {
  const t = useText(messages)
  const toggle = (checked: boolean) => {
    const next = new Set(selection.selected)
    if (checked) next.add(id)
    else next.delete(id)
    selection.onChange(next)
  }
  return (
    <td className="select">
      <Checkbox
        aria-label={t('select', { name: selection.nameOf(row) })}
        checked={selection.selected.has(id)}
        onChange={(event) => toggle(event.target.checked)}
      />
    </td>
  )
}

/** Stands for rows out of sight, so that the page keeps its height. */
function Spacer({ rows, rowPixels }: { readonly rows: number; readonly rowPixels: number }) {
  return rows === 0 ? null : (
    <tr className="spacer">
      <td aria-hidden="true" style={{ height: rows * rowPixels }} />
    </tr>
  )
}

/** A plain table that becomes one card per row on a phone; it sorts the rows that are loaded. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, rowKey, hatched, selection, rowPixels = 0 } = props
  const { locale } = useLocale()
  const body = useRef<HTMLTableSectionElement>(null)
  const [order, setOrder] = useState<Order | null>(null)
  const sortBy = columns.find(({ key }) => key === order?.key)?.sortBy
  const ordered = sortBy === undefined ? rows : sorted(rows, sortBy, order?.descending ?? false, locale)
  const seen = useRowWindow(body, rowPixels === 0 ? 0 : ordered.length, rowPixels)
  const { from, to } = seen ?? { from: 0, to: ordered.length }
  return (
    <div className="table-wrap">
      <table className="table cards" {...(seen === null ? {} : { 'aria-rowcount': ordered.length + 1 })}>
        <caption className="vh">{caption}</caption>
        <thead>
          <tr>
            {selection === undefined ? null : <SelectAll keys={ordered.map(rowKey)} selection={selection} />}
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Spacer rows={from} rowPixels={rowPixels} />
          {ordered.slice(from, to).map((row, place) => (
            <tr
              key={rowKey(row)}
              className={hatched?.(row) === true ? 'hatch' : ''}
              {...(seen === null ? {} : { 'aria-rowindex': from + place + 2, style: { height: rowPixels } })}
            >
              {selection === undefined ? null : <SelectCell row={row} id={rowKey(row)} selection={selection} />}
              {columns.map((column) => (
                <td key={column.key} data-label={column.title} className={column.align ?? ''}>
                  <div>{column.render(row)}</div>
                </td>
              ))}
            </tr>
          ))}
          <Spacer rows={ordered.length - to} rowPixels={rowPixels} />
        </tbody>
      </table>
    </div>
  )
}
