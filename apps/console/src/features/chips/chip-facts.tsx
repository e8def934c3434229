import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Chip } from '../../shared/api/types.ts'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { chipMessages } from './chips.messages.ts'

export function ChipFactsPanel({ facts }: { readonly facts: Chip['facts'] }) {
  const t = useText(chipMessages)
  const format = useFormat()
  const known = <Value,>(value: Value | null, show: (value: Value) => ReactNode) =>
    value === null ? <Unknown reason={t('notReported')} /> : <span className="num">{show(value)}</span>
  const memory = (total: number) =>
    facts.memoryUsedBytes === null
      ? format.bytes(total)
      : t('memoryOf', { used: format.bytes(facts.memoryUsedBytes), total: format.bytes(total) })
  const extra = Object.entries(facts.extra)
  return (
    <Panel title={t('facts')}>
      <FactList
        facts={[
          { name: t('memory'), value: known(facts.memoryTotalBytes, memory) },
          { name: t('units'), value: known(facts.computeUnits, format.count) },
          { name: t('utilization'), value: known(facts.utilizationRatio, format.percent) },
          { name: t('temperature'), value: known(facts.temperatureCelsius, (value) => format.measure(value, '°C')) },
          { name: t('power'), value: known(facts.powerWatts, (value) => format.measure(value, 'W')) },
          { name: t('ecc'), value: known(facts.eccErrorsUncorrected, format.count) },
          { name: t('numa'), value: known(facts.numaNode, String) },
          { name: t('driver'), value: facts.vendor },
          { name: t('driverVersion'), value: known(facts.driverVersion, String) },
          { name: t('firmware'), value: known(facts.firmwareVersion, String) },
          { name: t('address'), value: known(facts.pciAddress, String) },
          { name: t('serial'), value: known(facts.serial, String) },
          { name: t('uuid'), value: <code>{facts.uuid}</code>, wide: true },
          {
            name: t('features'),
            wide: true,
            value:
              facts.features.length === 0 ? (
                <Unknown reason={t('notReported')} />
              ) : (
                <span className="row features">
                  {facts.features.map((feature) => (
                    <span key={feature} className="chiplet mono">
                      {feature}
                    </span>
                  ))}
                </span>
              ),
          },
        ]}
      />
      {extra.length === 0 ? null : (
        <details className="extra">
          <summary>{t('extra')}</summary>
          <FactList facts={extra.map(([name, value]) => ({ name, value: known(value, String) }))} />
        </details>
      )}
    </Panel>
  )
}
