import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Modal } from 'antd'
import { type KeyboardEvent, useEffect, useId, useMemo, useState } from 'react'
import { useLocale } from '../i18n/locale.tsx'
import { useText } from '../i18n/messages.ts'
import { chipSearchQuery, deploymentsQuery, modelsQuery, nodeSearchQuery, sessionQuery } from '../shared/api/queries.ts'
import { useMay } from '../shared/session.ts'
import type { NavEntry } from './routes.ts'
import { shellMessages } from './shell.messages.ts'

interface Target {
  readonly key: string
  readonly kind: 'page' | 'node' | 'chip' | 'model' | 'deployment'
  readonly label: string
  /** Everything it may be found by. */
  readonly words: string
  readonly to: string
}

/** The text once the fingers rest: the server is not asked for every letter. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 180)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

/** What the server finds; it is asked, because a fleet has more chips than a page can hold. */
function useFound(text: string): readonly Target[] {
  const mayNodes = useMay('nodes:read')
  const nodes = useQuery({ ...nodeSearchQuery(text, 10), enabled: mayNodes && text !== '' }).data?.items
  const chips = useQuery({ ...chipSearchQuery(text, 15), enabled: text !== '' }).data?.items
  return useMemo(
    () => [
      ...(nodes ?? []).map((node) => ({
        key: node.id,
        kind: 'node' as const,
        label: node.facts.hostname,
        words: text,
        to: `/nodes/${node.id}`,
      })),
      ...(chips ?? []).map((chip) => ({
        key: chip.id,
        kind: 'chip' as const,
        label: `${chip.facts.product} · ${chip.nodeName}${chip.facts.index === null ? '' : ` #${chip.facts.index}`}`,
        words: text,
        to: `/chips/${chip.id}`,
      })),
    ],
    [nodes, chips, text],
  )
}

function useTargets(nav: readonly NavEntry[], text: string): readonly Target[] {
  const { locale } = useLocale()
  const session = useQuery(sessionQuery).data
  const models = useQuery(modelsQuery).data?.items
  const deployments = useQuery(deploymentsQuery).data?.items
  const found = useFound(text)
  return useMemo(
    () => [
      ...nav
        .filter((entry) => entry.needs === undefined || session?.permissions.includes(entry.needs) === true)
        .map((entry) => ({
          key: entry.to,
          kind: 'page' as const,
          label: entry.label[locale],
          words: `${entry.label.en} ${entry.label['zh-CN']}`,
          to: entry.to,
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
      ...found,
    ],
    [nav, session, models, deployments, locale, found],
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
  const typed = query.trim().toLowerCase()
  const asked = useSettled(typed)
  const targets = useTargets(nav, asked)
  const found = targets.filter((target) => target.words.toLowerCase().includes(typed)).slice(0, 50)
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
