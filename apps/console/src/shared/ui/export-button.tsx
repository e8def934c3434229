import { Button } from 'antd'
import { useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import { exportLimit } from '../api/pages.ts'
import { type CsvColumn, csvOf } from '../csv.ts'
import { downloadFile } from '../download.ts'
import { ProblemNote } from './problem-note.tsx'

const messages = defineMessages({
  export: { en: 'Export CSV', 'zh-CN': '导出 CSV' },
  exporting: { en: 'Exporting, {count} rows', 'zh-CN': '正在导出，{count} 行' },
  cut: {
    en: 'The export stops at {count} rows; narrow the filter for the rest.',
    'zh-CN': '最多导出 {count} 行，其余请缩小筛选范围。',
  },
})

interface ExportButtonProps<Row> {
  readonly fileName: string
  readonly columns: readonly CsvColumn<Row>[]
  /** Brings all rows under the filters that stand in the page; tells how far it is. */
  readonly collect: (onProgress: (rows: number) => void) => Promise<readonly Row[]> | readonly Row[]
  readonly size?: 'small' | 'middle'
}

/** All rows under the page's filters as a file, not only those that are loaded. */
export function ExportButton<Row>({ fileName, columns, collect, size = 'middle' }: ExportButtonProps<Row>) {
  const t = useText(messages)
  const format = useFormat()
  const [rows, setRows] = useState<number | null>(null)
  const [cut, setCut] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async () => {
    setRows(0)
    setError(null)
    try {
      const all = await collect(setRows)
      setCut(all.length >= exportLimit)
      downloadFile(fileName, 'text/csv;charset=utf-8', csvOf(columns, all))
    } catch (failure) {
      setError(failure)
    } finally {
      setRows(null)
    }
  }
  return (
    <div>
      <Button size={size} onClick={() => void run()} loading={rows !== null}>
        {rows === null ? t('export') : t('exporting', { count: format.count(rows) })}
      </Button>
      {cut ? <p className="small muted">{t('cut', { count: format.count(exportLimit) })}</p> : null}
      {error === null ? null : <ProblemNote error={error} />}
    </div>
  )
}
