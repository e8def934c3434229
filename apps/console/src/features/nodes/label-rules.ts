/** The server's rules for labels and taints, checked as they are typed; the server checks again. */
const name = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const prefix = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

export function isLabelKey(key: string): boolean {
  const [first = '', second, ...rest] = key.split('/')
  if (rest.length > 0) return false
  return second === undefined ? name.test(first) : prefix.test(first) && name.test(second)
}

export function isLabelValue(value: string): boolean {
  return value === '' || name.test(value)
}

export interface LabelRow {
  /** Tells rows apart while their keys are typed. */
  readonly id: number
  readonly key: string
  readonly value: string
}

export type RowFault = 'key' | 'value' | 'twice'

/** What is wrong with each row that is not empty, by the row's id. */
export function faultsOf(rows: readonly LabelRow[], sameKey: (row: LabelRow) => string = (row) => row.key) {
  const faults = new Map<number, RowFault>()
  const seen = new Set<string>()
  for (const row of rows) {
    if (row.key === '' && row.value === '') continue
    if (!isLabelKey(row.key)) faults.set(row.id, 'key')
    else if (!isLabelValue(row.value)) faults.set(row.id, 'value')
    else if (seen.has(sameKey(row))) faults.set(row.id, 'twice')
    seen.add(sameKey(row))
  }
  return faults
}
