import type { ReactNode } from 'react'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  readonly render: (row: Row) => ReactNode
  readonly align?: 'right'
  readonly width?: string
}

interface DataTableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Marks rows of simulated things. */
  readonly hatched?: (row: Row) => boolean
}

/** A plain table that becomes one card per row on a phone. */
export function DataTable<Row>({ caption, columns, rows, rowKey, hatched }: DataTableProps<Row>) {
  return (
    <div className="table-wrap">
      <table className="table cards">
        <caption className="vh">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={column.align ?? ''}
                {...(column.width === undefined ? {} : { style: { width: column.width } })}
              >
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
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
