import { useFormat } from '../../i18n/format.ts'

/** A moment both ways: how long ago, and the full time with its zone. */
export function When({ iso, full = false }: { readonly iso: string; readonly full?: boolean }) {
  const format = useFormat()
  const absolute = format.time(iso)
  return (
    <time dateTime={iso} title={absolute} className="num">
      {full ? `${absolute} (${format.relative(iso)})` : format.relative(iso)}
    </time>
  )
}
