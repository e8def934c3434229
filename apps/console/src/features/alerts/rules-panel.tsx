import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Switch } from 'antd'
import { useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import { metricsQuery } from '../../shared/api/queries.ts'
import type { AlertRule } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { useChipStateWord } from '../../shared/ui/chip-state.tsx'
import { DataTable } from '../../shared/ui/data-table.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { alertMessages } from './alerts.messages.ts'
import { changeRule, channelsQuery, rulesQuery } from './api.ts'
import { RemoveDialog } from './remove-dialog.tsx'
import { RuleDialog } from './rule-dialog.tsx'
import { SeverityMark } from './severity.tsx'

/** The rule in a sentence. */
function useRuleWords(): (rule: AlertRule) => string {
  const t = useText(alertMessages)
  const format = useFormat()
  const word = useChipStateWord()
  const { locale } = useLocale()
  const metrics = useQuery(metricsQuery).data?.items
  const conditionOf = ({ condition }: AlertRule): string => {
    if (condition.kind === 'metric') {
      const title = metrics?.find(({ name }) => name === condition.metric)?.title[locale] ?? condition.metric
      return t('metricWords', {
        metric: title,
        comparison: t(condition.comparison),
        threshold: format.exact(condition.threshold),
      })
    }
    if (condition.kind !== 'chip-state') return t(condition.kind)
    const states = new Intl.ListFormat(locale, { type: 'disjunction' }).format(condition.states.map(word))
    return t('statesWords', { states })
  }
  return (rule) => {
    const held = rule.forSeconds === 0 ? t('atOnce') : t('forWords', { length: format.span(rule.forSeconds) })
    const separator = locale === 'zh-CN' ? '，' : ', '
    return [conditionOf(rule), held, ...(rule.includeSimulated ? [] : [t('onlyReal')])].join(separator)
  }
}

function EnabledSwitch({ rule, name }: { readonly rule: AlertRule; readonly name: string }) {
  const t = useText(alertMessages)
  const queryClient = useQueryClient()
  const mayChange = useMay('alerts:write')
  const change = useMutation({
    mutationFn: (enabled: boolean) => changeRule(rule.id, { enabled }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['alerts'] }),
  })
  if (!mayChange) {
    return <StateMark state={rule.enabled ? 'healthy' : 'waiting'} label={t(rule.enabled ? 'on' : 'off')} />
  }
  return (
    <>
      <Switch
        size="small"
        aria-label={`${t('enabled')}: ${name}`}
        checked={rule.enabled}
        loading={change.isPending}
        onChange={(enabled) => change.mutate(enabled)}
      />
      {change.isError ? <ProblemNote error={change.error} /> : null}
    </>
  )
}

export function RulesPanel() {
  const t = useText(alertMessages)
  const { locale } = useLocale()
  const mayChange = useMay('alerts:write')
  const rules = useQuery(rulesQuery)
  const channels = useQuery(channelsQuery).data?.items ?? []
  const words = useRuleWords()
  const [editing, setEditing] = useState<AlertRule | 'new' | null>(null)
  const [removing, setRemoving] = useState<AlertRule | null>(null)
  const told = (rule: AlertRule) =>
    rule.channelIds.length === 0
      ? t('every')
      : rule.channelIds.map((id) => channels.find((channel) => channel.id === id)?.name ?? t('goneChannel')).join(', ')
  return (
    <Panel
      title={t('rules')}
      flush
      extra={
        mayChange ? (
          <Button type="primary" size="small" onClick={() => setEditing('new')}>
            {t('newRule')}
          </Button>
        ) : null
      }
    >
      <QueryView query={rules}>
        {(page) => (
          <DataTable
            caption={t('rules')}
            rows={page.items}
            rowKey={(rule) => rule.id}
            columns={[
              {
                key: 'rule',
                title: t('rule'),
                sortBy: (rule) => rule.name[locale],
                render: (rule) => (
                  <>
                    <span className="strong">{rule.name[locale]}</span>
                    <div className="small muted">{t(rule.builtIn ? 'builtIn' : 'own')}</div>
                  </>
                ),
              },
              { key: 'severity', title: t('severity'), render: (rule) => <SeverityMark severity={rule.severity} /> },
              {
                key: 'condition',
                title: t('condition'),
                render: (rule) => (
                  <>
                    {words(rule)}
                    {rule.vendors.length === 0 ? null : (
                      <div className="small muted mono">{rule.vendors.join(', ')}</div>
                    )}
                  </>
                ),
              },
              { key: 'told', title: t('channelsOf'), render: told },
              {
                key: 'enabled',
                title: t('enabled'),
                render: (rule) => <EnabledSwitch rule={rule} name={rule.name[locale]} />,
              },
              {
                key: 'action',
                title: t('action'),
                align: 'right',
                render: (rule) =>
                  mayChange ? (
                    <span className="row actions">
                      <Button size="small" onClick={() => setEditing(rule)}>
                        {t('edit')}
                        <span className="vh"> {rule.name[locale]}</span>
                      </Button>
                      {rule.builtIn ? null : (
                        <Button size="small" danger onClick={() => setRemoving(rule)}>
                          {t('remove')}
                          <span className="vh"> {rule.name[locale]}</span>
                        </Button>
                      )}
                    </span>
                  ) : null,
              },
            ]}
          />
        )}
      </QueryView>
      {editing === null ? null : (
        <RuleDialog rule={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
      {removing === null ? null : (
        <RemoveDialog kind="rule" id={removing.id} name={removing.name[locale]} onClose={() => setRemoving(null)} />
      )}
    </Panel>
  )
}
