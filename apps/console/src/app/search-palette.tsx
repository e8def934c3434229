import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Modal } from 'antd'
import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import { useLocale } from '../i18n/locale.tsx'
import { useText } from '../i18n/messages.ts'
import { chipsQuery, deploymentsQuery, modelsQuery } from '../shared/api/queries.ts'
import type { NavEntry } from './routes.ts'
import { shellMessages } from './shell.messages.ts'

interface Target {
  readonly key: string
  readonly kind: 'page' | 'chip' | 'model' | 'deployment'
  readonly label: string
  /** Everything it may be found by. */
  readonly words: string
  readonly to: string
}

function useTargets(nav: readonly NavEntry[]): readonly Target[] {
  const { locale } = useLocale()
  const chips = useQuery(chipsQuery).data?.items
  const models = useQuery(modelsQuery).data?.items
  const deployments = useQuery(deploymentsQuery).data?.items
  return useMemo(
    () => [
      ...nav.map((entry) => ({
        key: entry.to,
        kind: 'page' as const,
        label: entry.label[locale],
        words: `${entry.label.en} ${entry.label['zh-CN']}`,
        to: entry.to,
      })),
      ...(chips ?? []).map((chip) => ({
        key: chip.id,
        kind: 'chip' as const,
        label: `${chip.facts.product} · ${chip.nodeName}`,
        words: `${chip.facts.product} ${chip.facts.vendor} ${chip.facts.uuid} ${chip.nodeName}`,
        to: `/chips/${chip.id}`,
      })),
      ...(models ?? []).map((model) => ({
        key: model.id,
        kind: 'model' as const,
        label: model.displayName[locale],
        words: `${model.name} ${model.displayName.en} ${model.displayName['zh-CN']}`,
        to: '/models',
      })),
      ...(deployments ?? []).map((deployment) => ({
        key: deployment.id,
        kind: 'deployment' as const,
        label: deployment.name,
        words: `${deployment.name} ${deployment.servedModel}`,
        to: `/deployments/${deployment.id}`,
      })),
    ],
    [nav, chips, models, deployments, locale],
  )
}

interface SearchPaletteProps {
  readonly nav: readonly NavEntry[]
  readonly onClose: () => void
}

export function SearchPalette({ nav, onClose }: SearchPaletteProps) {
  const t = useText(shellMessages)
  const navigate = useNavigate()
  const list = useId()
  const [query, setQuery] = useState('')
  const [active, setActive] = useState(0)
  const targets = useTargets(nav)
  const found = targets.filter((target) => target.words.toLowerCase().includes(query.trim().toLowerCase())).slice(0, 50)
  const go = (target: Target | undefined) => {
    if (target === undefined) return
    onClose()
    void navigate({ to: target.to })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && found.length > 0) {
      event.preventDefault()
      setActive((active + step + found.length) % found.length)
    } else if (event.key === 'Enter' && !event.nativeEvent.isComposing) go(found[active])
  }
  return (
    <Modal open footer={null} closable={false} onCancel={onClose} title={<span className="vh">{t('search')}</span>}>
      <input
        // biome-ignore lint/a11y/noAutofocus: the dialog exists only to type into
        autoFocus
        className="palette-input"
        role="combobox"
        aria-label={t('searchHint')}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found[active] === undefined ? undefined : `${list}-${active}`}
        placeholder={t('searchHint')}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value)
          setActive(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id={list} className="palette-list" role="listbox" aria-label={t('searchResults')}>
        {found.map((target, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: keys are handled by the combobox
          <div
            key={target.key}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => go(target)}
          >
            <span>{target.label}</span>
            <span className="palette-kind">{t(target.kind)}</span>
          </div>
        ))}
      </div>
      {found.length === 0 ? <p className="muted">{t('searchNone', { query })}</p> : null}
    </Modal>
  )
}
