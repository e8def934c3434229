import { useFormat } from '../../i18n/format.ts'

export interface Progress {
  readonly done: number
  readonly total: number | null
  readonly unit: string
}

/** `12 of 95 MiB` in the reader's form; bytes get binary units, other units stay as named. */
export function useProgressText(): (progress: Progress) => string {
  const format = useFormat()
  return ({ done, total, unit }) => {
    const show = (value: number) => (unit === 'bytes' || unit === 'B' ? format.bytes(value) : format.count(value))
    const suffix = unit === 'bytes' || unit === 'B' || unit === '' ? '' : ` ${unit}`
    return total === null ? `${show(done)}${suffix}` : `${show(done)} / ${show(total)}${suffix}`
  }
}

/** A bar that tells its share to screen readers; without a total it only says that something is under way. */
export function ProgressBar({ progress, label }: { readonly progress: Progress; readonly label: string }) {
  const text = useProgressText()
  const share = progress.total === null || progress.total === 0 ? null : Math.min(progress.done / progress.total, 1)
  return (
    <div
      className={share === null ? 'bar unsized' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuetext={text(progress)}
      {...(share === null
        ? {}
        : { 'aria-valuenow': Math.round(share * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 })}
    >
      <span {...(share === null ? {} : { style: { width: `${share * 100}%` } })} />
    </div>
  )
}
