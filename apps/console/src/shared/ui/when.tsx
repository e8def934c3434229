import { useEffect, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'

const messages = defineMessages({
  both: { en: '{absolute} ({relative})', 'zh-CN': '{absolute}（{relative}）' },
})
const refreshMs = 20_000

/** Renders again now and then: an age that does not grow is a lie. */
function useNow(): void {
  const [, setNow] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), refreshMs)
    return () => clearInterval(timer)
  }, [])
}

/** A moment both ways: how long ago, and the full time with its zone. */
export function When({ iso, full = false }: { readonly iso: string; readonly full?: boolean }) {
  const t = useText(messages)
  const format = useFormat()
  useNow()
  const absolute = format.time(iso)
  return (
    <time dateTime={iso} title={absolute} className="num">
      {full ? t('both', { absolute, relative: format.relative(iso) }) : format.relative(iso)}
    </time>
  )
}
