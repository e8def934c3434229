import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { capacityMessages } from './capacity.messages.ts'

/** Chips whose sheets all lack the data type add up to nothing: that is unknown, not zero. */
export function NominalCell({ nominal }: { readonly nominal: number }) {
  const t = useText(capacityMessages)
  const format = useFormat()
  return nominal === 0 ? (
    <Unknown reason={t('noFigure')} />
  ) : (
    <span className="num">{format.measure(nominal, 'P')}</span>
  )
}
