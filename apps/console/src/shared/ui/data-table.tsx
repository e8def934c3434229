import { type ReactNode, useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { type SortValue, sorted } from './sorted.ts'
import './table.css'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  readonly render: (row: Row) => ReactNode
  readonly align?: 'right'
  readonly width?: string
  /** What the column sorts by; without it the column does not sort. Unknown values come last either way. */
  readonly sortBy?: (row: Row) => SortValue
}

interface DataTableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Marks rows of simulated things. */
  readonly hatched?: (row: Row) => boolean
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

/** A plain table that becomes one card per row on a phone; it sorts the rows that are loaded. */
export function DataTable<Row>({ caption, columns, rows, rowKey, hatched }: DataTableProps<Row>) {
  const { locale } = useLocale()
  const [order, setOrder] = useState<Order | null>(null)
  const sortBy = columns.find(({ key }) => key === order?.key)?.sortBy
  const shown = sortBy === undefined ? rows : sorted(rows, sortBy, order?.descending ?? false, locale)
  return (
    <div className="table-wrap">
      <table className="table cards">
        <caption className="vh">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={rowKey(row)} className={hatched?.(row) === true ? 'hatch' : ''}>
              {columns.map((column) => (
                <td key={column.key} data-label={column.title} className={column.align ?? ''}>
                  <div>{column.render(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
