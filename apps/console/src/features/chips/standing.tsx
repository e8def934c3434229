import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Tooltip } from 'antd'
import { useState } from 'react'
import { useCoded } from '../../i18n/codes.ts'
import { useText } from '../../i18n/messages.ts'
import { vendorsQuery } from '../../shared/api/queries.ts'
import type { Chip } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { markOfChip } from '../../shared/ui/chip-state.tsx'
import { ReasonDialog } from '../../shared/ui/reason-dialog.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { When } from '../../shared/ui/when.tsx'
import { quarantineChip, releaseChip, restoreChip, retireChip } from './api.ts'
import { standingMessages } from './readings.messages.ts'

/** Says where nobody has yet seen what the vendor's tool really prints. */
export function UnverifiedNote({ vendor }: { readonly vendor: string }) {
  const t = useText(standingMessages)
  const known = useQuery(vendorsQuery).data?.items.find(({ name }) => name === vendor)
  if (known === undefined || known.layoutVerified) return null
  return (
    <Tooltip title={t('unverifiedWhy')} trigger={['hover', 'focus', 'click']}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the reason must be reachable by keyboard */}
      <span className="unverified" tabIndex={0} role="note">
        {t('unverified')}
        <span className="vh">: {t('unverifiedWhy')}</span>
      </span>
    </Tooltip>
  )
}

/** Why the chip is in its state, and what keeps work from it. */
export function Evidence({ chip }: { readonly chip: Chip }) {
  const t = useText(standingMessages)
  const sentence = useCoded()
  if (chip.evidence.length === 0 && chip.quarantine === null) return null
  return (
    <ul className={chip.state === 'healthy' && chip.quarantine === null ? 'reasons calm' : 'reasons'}>
      {chip.evidence.map((reason) => (
        <li key={`${reason.code} ${JSON.stringify(reason.params)}`} className="row">
          <StateMark state={markOfChip(chip.state)} shapeOnly />
          <span>
            {sentence(reason)}{' '}
            <span className="small muted">
              {t('since')} <When iso={chip.stateSince} full />
            </span>
          </span>
        </li>
      ))}
      {chip.quarantine === null ? null : (
        <li className="row">
          <StateMark state="held" shapeOnly />
          <span>
            {t('quarantinedBy', { who: chip.quarantine.by })}: {sentence(chip.quarantine.reason)}{' '}
            <span className="small muted">
              {t('since')} <When iso={chip.quarantine.since} full />
            </span>
          </span>
        </li>
      )}
    </ul>
  )
}

export function QuarantineControl({ chip }: { readonly chip: Chip }) {
  const t = useText(standingMessages)
  const queryClient = useQueryClient()
  const mayChange = useMay('nodes:write')
  const [asking, setAsking] = useState(false)
  if (!mayChange) return null
  const held = chip.quarantine !== null
  const name = chip.facts.product
  const run = (reason: string) =>
    (held ? releaseChip : quarantineChip)(chip.id, reason).then(() =>
      queryClient.invalidateQueries({ queryKey: ['chips'] }),
    )
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t(held ? 'release' : 'quarantine')}</Button>
      {asking ? (
        <ReasonDialog
          title={t(held ? 'releaseTitle' : 'quarantineTitle', { name })}
          action={t(held ? 'release' : 'quarantine')}
          onConfirm={run}
          onClose={() => setAsking(false)}
        >
          <p>{t(held ? 'releaseWhat' : 'quarantineWhat')}</p>
        </ReasonDialog>
      ) : null}
    </>
  )
}

/** For a card that was taken out for good: only a chip that nobody reports any more can be retired. */
export function RetireControl({ chip }: { readonly chip: Chip }) {
  const t = useText(standingMessages)
  const queryClient = useQueryClient()
  const mayChange = useMay('nodes:write')
  const [asking, setAsking] = useState(false)
  const retired = chip.retired !== undefined && chip.retired !== null
  if (!mayChange || (!retired && chip.state !== 'absent')) return null
  const name = chip.facts.product
  const run = (reason: string) =>
    (retired ? restoreChip : retireChip)(chip.id, reason).then(() =>
      queryClient.invalidateQueries({ queryKey: ['chips'] }),
    )
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t(retired ? 'restore' : 'retire')}</Button>
      {asking ? (
        <ReasonDialog
          title={t(retired ? 'restoreTitle' : 'retireTitle', { name })}
          action={t(retired ? 'restore' : 'retire')}
          onConfirm={run}
          onClose={() => setAsking(false)}
        >
          <p>{t(retired ? 'restoreWhat' : 'retireWhat')}</p>
        </ReasonDialog>
      ) : null}
    </>
  )
}
