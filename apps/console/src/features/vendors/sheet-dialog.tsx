import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Input, InputNumber, Modal, Select } from 'antd'
import { useId, useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { type Sheet, saveSheet } from './api.ts'
import { vendorMessages } from './vendors.messages.ts'

interface PeakRow {
  readonly id: number
  readonly dtype: string
  readonly teraops: number | null
  readonly sparse: boolean
}

const confidences = ['high', 'medium', 'low'] as const
const isDtype = (text: string) => /^[a-z][a-z0-9]{1,15}$/.test(text)

interface PeakRowsProps {
  readonly rows: readonly PeakRow[]
  readonly onChange: (rows: readonly PeakRow[]) => void
}

function PeakRows({ rows, onChange }: PeakRowsProps) {
  const t = useText(vendorMessages)
  const set = (id: number, part: Partial<PeakRow>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...part } : row)))
  return (
    <fieldset className="peak-rows">
      <legend>{t('peaks')}</legend>
      {rows.map((row) => (
        <div key={row.id} className="peak-row">
          <Input
            aria-label={t('dtype')}
            placeholder="bf16"
            value={row.dtype}
            onChange={(event) => set(row.id, { dtype: event.target.value.trim().toLowerCase() })}
          />
          <InputNumber<number>
            aria-label={t('teraops')}
            placeholder={t('teraops')}
            min={0}
            value={row.teraops}
            onChange={(teraops) => set(row.id, { teraops })}
          />
          <Checkbox checked={row.sparse} onChange={(event) => set(row.id, { sparse: event.target.checked })}>
            {t('sparse')}
          </Checkbox>
          <Button onClick={() => onChange(rows.filter(({ id }) => id !== row.id))}>
            {t('remove')}
            <span className="vh"> {row.dtype}</span>
          </Button>
        </div>
      ))}
      <div>
        <Button
          size="small"
          onClick={() =>
            onChange([
              ...rows,
              { id: Math.max(0, ...rows.map(({ id }) => id)) + 1, dtype: '', teraops: null, sparse: false },
            ])
          }
        >
          {t('addPeak')}
        </Button>
      </div>
    </fieldset>
  )
}

interface SheetDialogProps {
  readonly vendor: string
  /** Null: a product we have no sheet of. */
  readonly sheet: Sheet | null
  readonly onClose: () => void
}

/** The operator's own sheet in the place of ours. */
export function SheetDialog({ vendor, sheet, onClose }: SheetDialogProps) {
  const t = useText(vendorMessages)
  const id = useId()
  const queryClient = useQueryClient()
  const [product, setProduct] = useState(sheet?.product ?? '')
  const [source, setSource] = useState(sheet?.overridden === true ? sheet.source : '')
  const [confidence, setConfidence] = useState<Sheet['confidence']>('high')
  const [gigabytes, setGigabytes] = useState(
    sheet === null || sheet.bandwidthBytesPerSecond === null ? null : sheet.bandwidthBytesPerSecond / 1e9,
  )
  const [peaks, setPeaks] = useState<readonly PeakRow[]>(() =>
    (sheet?.peaks ?? [{ dtype: 'bf16', teraops: null, sparse: false }]).map((peak, place) => ({ id: place, ...peak })),
  )
  const [tried, setTried] = useState(false)
  const whole = peaks.flatMap(({ dtype, teraops, sparse }) =>
    isDtype(dtype) && teraops !== null && teraops > 0 ? [{ dtype, teraops, sparse }] : [],
  )
  const fault =
    product.trim() === ''
      ? 'productMissing'
      : whole.length === 0 || whole.length < peaks.length
        ? 'peaksMissing'
        : source.trim() === ''
          ? 'sourceMissing'
          : null
  const save = useMutation({
    mutationFn: () =>
      saveSheet(vendor, {
        product: product.trim(),
        peaks: whole,
        bandwidthBytesPerSecond: gigabytes === null ? null : gigabytes * 1e9,
        source: source.trim(),
        confidence,
        overridden: true,
      }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['vendors'] })
      void queryClient.invalidateQueries({ queryKey: ['capacity'] })
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
      width={620}
      title={t('sheetTitle', { name: sheet?.product ?? vendor })}
      okText={t('save')}
      okButtonProps={{ loading: save.isPending }}
      cancelText={t('cancel')}
      onOk={submit}
      onCancel={onClose}
    >
      <div className="form">
        <p className="muted">{t('sheetNote')}</p>
        <div className="field">
          <label htmlFor={`${id}-product`}>{t('product')}</label>
          <Input
            id={`${id}-product`}
            value={product}
            disabled={sheet !== null}
            onChange={(event) => setProduct(event.target.value)}
          />
        </div>
        <PeakRows rows={peaks} onChange={setPeaks} />
        <div className="pair">
          <div className="field">
            <label htmlFor={`${id}-bandwidth`}>{t('bandwidthField')}</label>
            <InputNumber<number> id={`${id}-bandwidth`} min={1} value={gigabytes} onChange={setGigabytes} />
          </div>
          <div className="field">
            <label htmlFor={`${id}-confidence`}>{t('confidence')}</label>
            <Select
              id={`${id}-confidence`}
              value={confidence}
              options={confidences.map((value) => ({ value, label: t(value) }))}
              onChange={(value: Sheet['confidence']) => setConfidence(value)}
            />
          </div>
        </div>
        <div className="field">
          <label htmlFor={`${id}-source`}>{t('sourceField')}</label>
          <Input
            id={`${id}-source`}
            value={source}
            maxLength={500}
            onChange={(event) => setSource(event.target.value)}
          />
        </div>
        <p className="small wrong" role="status">
          {tried && fault !== null ? t(fault) : ''}
        </p>
        {save.isError ? <ProblemNote error={save.error} /> : null}
      </div>
    </Modal>
  )
}
