import { Link } from '@tanstack/react-router'
import { useCoded } from '../../i18n/codes.ts'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Chip } from '../../shared/api/types.ts'
import { ChipStateMark } from '../../shared/ui/chip-state.tsx'
import type { Column } from '../../shared/ui/data-table.tsx'
import { ScoreRuler } from '../../shared/ui/score-ruler.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { chipMessages } from './chips.messages.ts'
import { UnverifiedNote } from './standing.tsx'

function AxisCell({ chip, event }: { readonly chip: Chip; readonly event: 'prefill' | 'decode' }) {
  const t = useText(chipMessages)
  const sentence = useCoded()
  const axis = chip.score.axes[event]
  const why = axis?.reasons[0]
  return (
    <ScoreRuler
      name={t(event)}
      score={axis?.score ?? null}
      low={axis?.low ?? null}
      high={axis?.high ?? null}
      reason={why === undefined ? t('notMeasured') : sentence(why)}
      {...(axis === undefined ? {} : { recordId: axis.recordId })}
    />
  )
}

function UseCell({ ratio }: { readonly ratio: number | null }) {
  const t = useText(chipMessages)
  const format = useFormat()
  if (ratio === null) return <Unknown reason={t('notReported')} />
  return (
    <span className="use-bar">
      <span className="num">{format.percent(ratio)}</span>
      <span className="track">
        <span style={{ width: `${Math.min(ratio, 1) * 100}%` }} />
      </span>
    </span>
  )
}

export function useChipColumns(): readonly Column<Chip>[] {
  const t = useText(chipMessages)
  const format = useFormat()
  const known = (value: number | null, show: (value: number) => string) =>
    value === null ? <Unknown reason={t('notReported')} /> : <span className="num">{show(value)}</span>
  return [
    {
      key: 'chip',
      title: t('chip'),
      sortBy: (chip) => chip.facts.product,
      render: (chip) => (
        <>
          <Link to="/chips/$chipId" params={{ chipId: chip.id }} className="strong">
            {chip.facts.product}
          </Link>{' '}
          <UnverifiedNote vendor={chip.facts.vendor} />
          <div className="small muted chip-place">
            {chip.nodeName}
            {chip.facts.index === null ? '' : ` #${chip.facts.index}`}
          </div>
        </>
      ),
    },
    {
      key: 'state',
      title: t('health'),
      sortBy: (chip) => chip.state,
      render: (chip) => (
        <span className="row chip-marks">
          <ChipStateMark state={chip.state} quarantined={chip.quarantine !== null} simulated={chip.facts.simulated} />
        </span>
      ),
    },
    {
      key: 'use',
      title: t('utilization'),
      sortBy: (chip) => chip.facts.utilizationRatio,
      render: (chip) => <UseCell ratio={chip.facts.utilizationRatio} />,
    },
    {
      key: 'temperature',
      title: t('temperature'),
      align: 'right',
      sortBy: (chip) => chip.facts.temperatureCelsius,
      render: (chip) => known(chip.facts.temperatureCelsius, (value) => format.measure(value, '°C')),
    },
    {
      key: 'prefill',
      title: t('prefill'),
      width: '15%',
      sortBy: (chip) => chip.score.axes.prefill?.score ?? null,
      render: (chip) => <AxisCell chip={chip} event="prefill" />,
    },
    {
      key: 'decode',
      title: t('decode'),
      width: '15%',
      sortBy: (chip) => chip.score.axes.decode?.score ?? null,
      render: (chip) => <AxisCell chip={chip} event="decode" />,
    },
    {
      key: 'memory',
      title: t('memory'),
      align: 'right',
      sortBy: (chip) => chip.facts.memoryTotalBytes,
      render: (chip) => known(chip.facts.memoryTotalBytes, format.bytes),
    },
    {
      key: 'runs',
      title: t('runs'),
      render: (chip) =>
        chip.deployments.length === 0 ? (
          <span className="muted">{t('nothingRuns')}</span>
        ) : (
          chip.deployments.map(({ id, name }) => (
            <Link key={id} to="/deployments/$deploymentId" params={{ deploymentId: id }}>
              {name}
            </Link>
          ))
        ),
    },
  ]
}
