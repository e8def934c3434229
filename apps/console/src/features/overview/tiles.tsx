import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Status } from '../../shared/api/types.ts'
import { overviewMessages } from './overview.messages.ts'

interface TileProps {
  readonly to: '/chips' | '/models' | '/usage'
  readonly name: string
  readonly value: string
  readonly note: ReactNode
}

function Tile({ to, name, value, note }: TileProps) {
  return (
    <Link to={to} className="tile">
      <span className="tile-name">{name}</span>
      <span className="tile-value num">{value}</span>
      <span className="tile-note">{note}</span>
    </Link>
  )
}

export function Tiles({ status }: { readonly status: Status }) {
  const t = useText(overviewMessages)
  const format = useFormat()
  const usable = status.chips.filter(({ health }) => health === 'healthy' || health === 'degraded').length
  const sick = status.chips.filter(({ health }) => health !== 'healthy' && health !== 'unknown').length
  const unknown = status.chips.filter(({ health }) => health === 'unknown').length
  const ready = status.deployments.filter(({ state }) => state === 'ready').length
  const held = status.models.filter(({ state }) => state === 'ready').length
  const chipsNote = () => {
    if (sick > 0) return t('chipsSick', { sick: format.count(sick) })
    return unknown > 0 ? t('chipsUnknown', { unknown: format.count(unknown) }) : t('chipsWell')
  }
  const of = (part: number, whole: number) => t('chipsOf', { usable: format.count(part), all: format.count(whole) })
  return (
    <div className="tiles">
      <Tile to="/chips" name={t('chipsTile')} value={of(usable, status.chips.length)} note={chipsNote()} />
      <Tile
        to="/models"
        name={t('deploymentsTile')}
        value={of(ready, status.deployments.length)}
        note={t('modelsHeld', { count: format.count(held) })}
      />
      <Tile
        to="/usage"
        name={t('requestsTile')}
        value={format.count(status.usage.requests24h)}
        note={t('errors', { count: format.count(status.usage.errors24h) })}
      />
      <Tile
        to="/usage"
        name={t('tokensTile')}
        value={format.count(status.usage.completionTokens24h)}
        note={t('tokensNote')}
      />
    </div>
  )
}
