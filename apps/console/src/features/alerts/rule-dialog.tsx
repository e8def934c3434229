import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Checkbox, Input, InputNumber, Modal, Select } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { metricsQuery, vendorsQuery } from '../../shared/api/queries.ts'
import type { AlertRule, ChipState, NewAlertRule } from '../../shared/api/types.ts'
import { chipStates, useChipStateWord } from '../../shared/ui/chip-state.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { alertMessages } from './alerts.messages.ts'
import { changeRule, channelsQuery, createRule } from './api.ts'
import { type Comparison, type ConditionKind, changeOf, draftOf, faultOf, type RuleDraft } from './rule-draft.ts'

const kinds = ['metric', 'chip-state', 'node-away', 'driver-drift', 'quarantine'] as const
const comparisons = ['above', 'below', 'increased-by'] as const
const severities = ['critical', 'warning', 'info'] as const

/** Units of the catalogue as they are written; counts have none. */
const signs: Readonly<Record<string, string>> = {
  ratio: '0–1',
  bytes: 'B',
  celsius: '°C',
  watts: 'W',
  hertz: 'Hz',
  'bytes-per-second': 'B/s',
}

interface PartProps {
  readonly draft: RuleDraft
  readonly change: (part: Partial<RuleDraft>) => void
  readonly fixed: boolean
}

function Field({ label, id, children }: { readonly label: string; readonly id: string; readonly children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
    </div>
  )
}

function MetricFields({ draft, change, fixed }: PartProps) {
  const t = useText(alertMessages)
  const id = useId()
  const { locale } = useLocale()
  const metrics = useQuery(metricsQuery).data?.items ?? []
  const unit = signs[metrics.find(({ name }) => name === draft.metric)?.unit ?? '']
  return (
    <>
      <Field id={`${id}-metric`} label={t('reading')}>
        <Select
          id={`${id}-metric`}
          value={draft.metric}
          disabled={fixed}
          options={metrics.map((metric) => ({ value: metric.name, label: metric.title[locale] }))}
          onChange={(metric: string) => change({ metric })}
        />
      </Field>
      <div className="pair">
        <Field id={`${id}-comparison`} label={t('comparison')}>
          <Select
            id={`${id}-comparison`}
            value={draft.comparison}
            disabled={fixed}
            options={comparisons.map((value) => ({ value, label: t(value) }))}
            onChange={(comparison: Comparison) => change({ comparison })}
          />
        </Field>
        <Field id={`${id}-threshold`} label={unit === undefined ? t('threshold') : `${t('threshold')} (${unit})`}>
          <InputNumber<number>
            id={`${id}-threshold`}
            value={draft.threshold}
            onChange={(threshold) => change({ threshold })}
          />
        </Field>
      </div>
    </>
  )
}

function ConditionFields(props: PartProps) {
  const { draft, change, fixed } = props
  const t = useText(alertMessages)
  const word = useChipStateWord()
  const id = useId()
  return (
    <>
      <Field id={`${id}-kind`} label={t('condition')}>
        <Select
          id={`${id}-kind`}
          value={draft.kind}
          disabled={fixed}
          options={kinds.map((value) => ({ value, label: t(value) }))}
          onChange={(kind: ConditionKind) => change({ kind })}
        />
      </Field>
      {draft.kind === 'metric' ? <MetricFields {...props} /> : null}
      {draft.kind === 'chip-state' ? (
        <Field id={`${id}-states`} label={t('states')}>
          <Select
            id={`${id}-states`}
            mode="multiple"
            value={draft.states}
            disabled={fixed}
            options={chipStates.map((value) => ({ value, label: word(value) }))}
            onChange={(states: ChipState[]) => change({ states })}
          />
        </Field>
      ) : null}
    </>
  )
}

function ScopeFields({ draft, change, fixed }: PartProps) {
  const t = useText(alertMessages)
  const id = useId()
  const vendors = useQuery(vendorsQuery).data?.items ?? []
  const channels = useQuery(channelsQuery).data?.items ?? []
  return (
    <>
      <div className="pair">
        <Field id={`${id}-for`} label={t('forSeconds')}>
          <InputNumber<number>
            id={`${id}-for`}
            min={0}
            max={86_400}
            precision={0}
            value={draft.forSeconds}
            onChange={(forSeconds) => change({ forSeconds: forSeconds ?? 0 })}
          />
        </Field>
        <Field id={`${id}-vendors`} label={t('vendors')}>
          <Select
            id={`${id}-vendors`}
            mode="multiple"
            value={[...draft.vendors]}
            disabled={fixed}
            placeholder={t('allVendors')}
            options={vendors.map(({ name }) => ({ value: name, label: name }))}
            onChange={(chosen: string[]) => change({ vendors: chosen })}
          />
        </Field>
      </div>
      <Field id={`${id}-channels`} label={t('tells')}>
        <Select
          id={`${id}-channels`}
          mode="multiple"
          value={[...draft.channelIds]}
          placeholder={t('tellsNote')}
          options={channels.map((channel) => ({ value: channel.id, label: channel.name }))}
          onChange={(channelIds: string[]) => change({ channelIds })}
        />
      </Field>
      <Checkbox
        checked={draft.includeSimulated}
        onChange={(event) => change({ includeSimulated: event.target.checked })}
      >
        {t('includeSimulated')}
      </Checkbox>
    </>
  )
}

/** A new rule, or one to change; of ours only what the server lets be changed. */
export function RuleDialog({ rule, onClose }: { readonly rule: AlertRule | null; readonly onClose: () => void }) {
  const t = useText(alertMessages)
  const id = useId()
  const { locale } = useLocale()
  const queryClient = useQueryClient()
  const [draft, setDraft] = useState(() => draftOf(rule, locale))
  const [tried, setTried] = useState(false)
  const fixed = rule?.builtIn === true
  const fault = faultOf(draft)
  const change = (part: Partial<RuleDraft>) => setDraft((old) => ({ ...old, ...part }))
  const save = useMutation({
    mutationFn: () => {
      const body = changeOf(draft, rule)
      return rule === null ? createRule({ enabled: true, ...body } as NewAlertRule) : changeRule(rule.id, body)
    },
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['alerts'] })
      onClose()
    },
  })
  const submit = () => {
    setTried(true)
    if (fault === null) save.mutate()
  }
  return (
    <Modal
      open
      width={600}
      title={rule === null ? t('newRule') : `${t('edit')} · ${rule.name[locale]}`}
      okText={t('save')}
      okButtonProps={{ loading: save.isPending }}
      cancelText={t('cancel')}
      onOk={submit}
      onCancel={onClose}
    >
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {fixed ? <p className="muted">{t('fixed')}</p> : null}
        <div className="pair">
          <Field id={`${id}-name`} label={t('name')}>
            <Input
              id={`${id}-name`}
              value={draft.name}
              maxLength={200}
              disabled={fixed}
              autoComplete="off"
              onChange={(event) => change({ name: event.target.value })}
              {...(tried && fault === 'nameMissing' ? { status: 'error' as const } : {})}
            />
          </Field>
          <Field id={`${id}-severity`} label={t('severity')}>
            <Select
              id={`${id}-severity`}
              value={draft.severity}
              disabled={fixed}
              options={severities.map((value) => ({ value, label: t(value) }))}
              onChange={(severity: AlertRule['severity']) => change({ severity })}
            />
          </Field>
        </div>
        <ConditionFields draft={draft} change={change} fixed={fixed} />
        <ScopeFields draft={draft} change={change} fixed={fixed} />
        <p className="small wrong" role="status">
          {tried && fault !== null ? t(fault) : ''}
        </p>
        {save.isError ? <ProblemNote error={save.error} /> : null}
        <button type="submit" hidden />
      </form>
    </Modal>
  )
}
