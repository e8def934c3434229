import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input, Modal } from 'antd'
import { useId, useState } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { useMay } from '../../shared/session.ts'
import { Panel } from '../../shared/ui/panel.tsx'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { QueryView } from '../../shared/ui/query-view.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { cancelMaintenance, maintenanceQuery, planMaintenance } from './api.ts'
import { nodeMessages } from './nodes.messages.ts'

/** `2026-11-23T14:00` in the reader's zone, as the browser's own field for a moment wants it. */
function localInput(moment: Date): string {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000)
  return shifted.toISOString().slice(0, 16)
}

type Fault = 'endsBeforeBegin' | 'lies' | 'reasonMissing'

function faultOf(from: string, until: string, reason: string): Fault | null {
  if (!(Date.parse(until) > Date.parse(from))) return 'endsBeforeBegin'
  if (Date.parse(until) <= Date.now()) return 'lies'
  return reason.trim() === '' ? 'reasonMissing' : null
}

function PlanDialog({ node, onClose }: { readonly node: Node; readonly onClose: () => void }) {
  const t = useText(nodeMessages)
  const id = useId()
  const queryClient = useQueryClient()
  const [from, setFrom] = useState(() => localInput(new Date(Date.now() + 3_600_000)))
  const [until, setUntil] = useState(() => localInput(new Date(Date.now() + 3 * 3_600_000)))
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const fault = faultOf(from, until, reason)
  const mutation = useMutation({
    mutationFn: () =>
      planMaintenance(node.id, {
        startsAt: new Date(from).toISOString(),
        endsAt: new Date(until).toISOString(),
        reason: reason.trim(),
      }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['maintenance'] })
      onClose()
    },
  })
  const submit = () => {
    setTried(true)
    if (fault === null) mutation.mutate()
  }
  return (
    <Modal
      open
      title={t('planTitle', { name: node.facts.hostname })}
      okText={t('plan')}
      okButtonProps={{ loading: mutation.isPending }}
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
        <p>{t('planWhat')}</p>
        <div className="pair">
          <div className="field">
            <label htmlFor={`${id}-from`}>{t('from')}</label>
            <Input
              id={`${id}-from`}
              type="datetime-local"
              value={from}
              onChange={(event) => setFrom(event.target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor={`${id}-until`}>{t('until')}</label>
            <Input
              id={`${id}-until`}
              type="datetime-local"
              value={until}
              onChange={(event) => setUntil(event.target.value)}
            />
          </div>
        </div>
        <p className="small muted">{t('localTime', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
        <div className="field">
          <label htmlFor={`${id}-reason`}>{t('reason')}</label>
          <Input
            id={`${id}-reason`}
            value={reason}
            maxLength={200}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        <p className="small wrong" role="status">
          {tried && fault !== null ? t(fault) : ''}
        </p>
        {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
        <button type="submit" hidden />
      </form>
    </Modal>
  )
}

export function MaintenancePanel({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  const format = useFormat()
  const queryClient = useQueryClient()
  const mayChange = useMay('nodes:write')
  const windows = useQuery(maintenanceQuery(node.id))
  const [planning, setPlanning] = useState(false)
  const cancel = useMutation({
    mutationFn: cancelMaintenance,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['maintenance'] }),
  })
  const plan = mayChange ? (
    <Button size="small" onClick={() => setPlanning(true)}>
      {t('plan')}
      <span className="vh"> {t('maintenance')}</span>
    </Button>
  ) : null
  return (
    <Panel title={t('maintenance')} flush extra={plan}>
      {cancel.isError ? <ProblemNote error={cancel.error} /> : null}
      <QueryView query={windows}>
        {(page) =>
          page.items.length === 0 ? (
            <p className="line muted">{t('noWindows')}</p>
          ) : (
            <ul>
              {page.items.map((window) => {
                const isNow = Date.parse(window.startsAt) <= Date.now() && Date.parse(window.endsAt) > Date.now()
                return (
                  <li key={window.id} className="line">
                    <span>
                      <StateMark state={isNow ? 'held' : 'waiting'} label={t(isNow ? 'now' : 'planned')} />{' '}
                      {window.reason}
                      <span className="small muted window-time">
                        {format.time(window.startsAt)} – {format.time(window.endsAt)} · {window.createdBy}
                      </span>
                    </span>
                    {mayChange ? (
                      <Button
                        size="small"
                        loading={cancel.isPending && cancel.variables === window.id}
                        onClick={() => cancel.mutate(window.id)}
                      >
                        {t('cancelWindow')}
                        <span className="vh"> {window.reason}</span>
                      </Button>
                    ) : null}
                  </li>
                )
              })}
            </ul>
          )
        }
      </QueryView>
      {planning ? <PlanDialog node={node} onClose={() => setPlanning(false)} /> : null}
    </Panel>
  )
}
