import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Input, Modal, Select } from 'antd'
import { type ReactNode, useId, useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { changeNode } from './api.ts'
import { faultsOf, type LabelRow, type RowFault } from './label-rules.ts'
import { nodeMessages } from './nodes.messages.ts'

type Effect = Node['taints'][number]['effect']
interface TaintRow extends LabelRow {
  readonly effect: Effect
}
const effects = ['no-schedule', 'prefer-no-schedule', 'no-execute'] as const

function changed<Row extends LabelRow>(rows: readonly Row[], id: number, part: Partial<Row>): readonly Row[] {
  return rows.map((row) => (row.id === id ? { ...row, ...part } : row))
}

interface RowsProps<Row extends LabelRow> {
  readonly title: string
  readonly add: string
  readonly rows: readonly Row[]
  readonly faults: ReadonlyMap<number, RowFault>
  readonly onChange: (rows: readonly Row[]) => void
  readonly make: (id: number) => Row
  readonly extra?: (row: Row) => ReactNode
}

/** Rows of key and value that can be added and removed; what is wrong with one stands under it. */
function Rows<Row extends LabelRow>({ title, add, rows, faults, onChange, make, extra }: RowsProps<Row>) {
  const t = useText(nodeMessages)
  const words = { key: 'badKey', value: 'badValue', twice: 'badTwice' } as const
  const set = (id: number, part: Partial<LabelRow>) => onChange(changed(rows, id, part as Partial<Row>))
  return (
    <fieldset className="label-rows">
      <legend>{title}</legend>
      {rows.map((row) => {
        const fault = faults.get(row.id)
        return (
          <div key={row.id}>
            <div className={extra === undefined ? 'label-row' : 'label-row wide'}>
              <Input
                aria-label={`${title}: ${t('key')}`}
                placeholder={t('key')}
                value={row.key}
                onChange={(event) => set(row.id, { key: event.target.value.trim() })}
                {...(fault === 'key' || fault === 'twice' ? { status: 'error' as const } : {})}
              />
              <Input
                aria-label={`${title}: ${t('value')}`}
                placeholder={t('value')}
                value={row.value}
                onChange={(event) => set(row.id, { value: event.target.value.trim() })}
                {...(fault === 'value' ? { status: 'error' as const } : {})}
              />
              {extra?.(row)}
              <Button onClick={() => onChange(rows.filter(({ id }) => id !== row.id))}>
                {t('remove')}
                <span className="vh"> {row.key}</span>
              </Button>
            </div>
            <p className="small wrong" role="status">
              {fault === undefined ? '' : t(words[fault])}
            </p>
          </div>
        )
      })}
      <div>
        <Button size="small" onClick={() => onChange([...rows, make(Math.max(0, ...rows.map(({ id }) => id)) + 1)])}>
          {add}
        </Button>
      </div>
    </fieldset>
  )
}

/** Labels, taints and place in one form; checked as typed, saved together. */
export function DescribeDialog({ node, onClose }: { readonly node: Node; readonly onClose: () => void }) {
  const t = useText(nodeMessages)
  const id = useId()
  const queryClient = useQueryClient()
  const [rack, setRack] = useState(node.place.rack ?? '')
  const [spine, setSpine] = useState(node.place.spine ?? '')
  const [labels, setLabels] = useState<readonly LabelRow[]>(() =>
    Object.entries(node.labels).map(([key, value], place) => ({ id: place + 1, key, value })),
  )
  const [taints, setTaints] = useState<readonly TaintRow[]>(() =>
    node.taints.map((taint, place) => ({ id: place + 1, ...taint })),
  )
  const labelFaults = faultsOf(labels)
  const effectOf = new Map(taints.map((row) => [row.id, row.effect]))
  const taintFaults = faultsOf(taints, (row) => `${row.key} ${effectOf.get(row.id)}`)
  const mutation = useMutation({
    mutationFn: () =>
      changeNode(node.id, {
        place: { rack: rack.trim() || null, spine: spine.trim() || null },
        labels: Object.fromEntries(labels.filter(({ key }) => key !== '').map(({ key, value }) => [key, value])),
        taints: taints.filter(({ key }) => key !== '').map(({ key, value, effect }) => ({ key, value, effect })),
      }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['nodes'] })
      onClose()
    },
  })
  return (
    <Modal
      open
      width={640}
      title={`${t('describe')} · ${node.facts.hostname}`}
      okText={t('save')}
      cancelText={t('cancel')}
      okButtonProps={{ loading: mutation.isPending, disabled: labelFaults.size + taintFaults.size > 0 }}
      onOk={() => mutation.mutate()}
      onCancel={onClose}
    >
      <div className="form">
        <div className="pair">
          <div className="field">
            <label htmlFor={`${id}-rack`}>{t('rack')}</label>
            <Input id={`${id}-rack`} value={rack} maxLength={63} onChange={(event) => setRack(event.target.value)} />
          </div>
          <div className="field">
            <label htmlFor={`${id}-spine`}>{t('spine')}</label>
            <Input id={`${id}-spine`} value={spine} maxLength={63} onChange={(event) => setSpine(event.target.value)} />
          </div>
        </div>
        <Rows
          title={t('labels')}
          add={t('addLabel')}
          rows={labels}
          faults={labelFaults}
          onChange={setLabels}
          make={(next) => ({ id: next, key: '', value: '' })}
        />
        <Rows
          title={t('taints')}
          add={t('addTaint')}
          rows={taints}
          faults={taintFaults}
          onChange={setTaints}
          make={(next): TaintRow => ({ id: next, key: '', value: '', effect: 'no-schedule' })}
          extra={(row) => (
            <Select
              aria-label={`${t('taints')}: ${t('effect')}`}
              value={row.effect}
              options={effects.map((value) => ({ value, label: t(value) }))}
              onChange={(effect: Effect) => setTaints(changed(taints, row.id, { effect }))}
            />
          )}
        />
        {mutation.isError ? <ProblemNote error={mutation.error} /> : null}
      </div>
    </Modal>
  )
}
