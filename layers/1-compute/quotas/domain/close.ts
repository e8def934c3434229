import { addUp, keyOf } from './request.ts'
import type { Want } from './terms.ts'

/** What a reservation takes of one quota in one window. */
export interface Item {
  readonly quotaId: string
  /** Names the window together with the quota. */
  readonly windowStart: string
  readonly isLevel: boolean
  readonly resource: string
  readonly kind: string | null
  readonly reserved: bigint
  /** Once settled: within the limit and beyond it. */
  readonly used: bigint
  readonly overrun: bigint
}

export type ReservationState = 'reserved' | 'settled' | 'returned' | 'released' | 'expired'

export interface Held {
  readonly id: string
  readonly tenantId: string
  readonly state: ReservationState
  readonly late: boolean
  readonly wants: readonly Want[]
  /** Aligned to `wants`; `null` until settled. */
  readonly usedAmounts: readonly bigint[] | null
  readonly items: readonly Item[]
}

export type Closing =
  | { readonly kind: 'settle'; readonly used: readonly Want[] }
  | { readonly kind: 'release' }
  | { readonly kind: 'return' }
  | { readonly kind: 'expire' }

export interface Delta {
  readonly used: bigint
  readonly reserved: bigint
  readonly overrun: bigint
}

/** How much more a hard quota takes; `null`: a soft one, that takes all. */
export type RoomOf = (item: Item) => bigint | null

export type Closed =
  /** `to` is what it becomes, `null` where nothing changes; the deltas stand beside its items. */
  | { readonly verdict: 'done'; readonly to: Held | null; readonly deltas: readonly Delta[] }
  | { readonly verdict: 'exceeds'; readonly resource: string; readonly reserved: bigint; readonly used: bigint }
  | { readonly verdict: 'differs' | 'settled' | 'unsettled' }

const NOTHING: Closed = { verdict: 'done', to: null, deltas: [] }

/** Whether closing needs to know the room of its quotas: what it takes is not reserved any more. */
export function isLate(held: Held, closing: Closing): boolean {
  return closing.kind === 'settle' && (held.state === 'expired' || held.state === 'released')
}

/** What closing a reservation does, each kind once: again it changes nothing. */
export function close(held: Held, closing: Closing, roomOf: RoomOf): Closed {
  if (closing.kind === 'settle') return settle(held, closing.used, roomOf)
  if (closing.kind === 'return') return giveBack(held)
  if (held.state === 'settled' || held.state === 'returned') {
    return closing.kind === 'expire' ? NOTHING : { verdict: 'settled' }
  }
  if (held.state !== 'reserved') return NOTHING
  const state = closing.kind === 'expire' ? 'expired' : 'released'
  const deltas = held.items.map((item) => ({ used: 0n, reserved: -item.reserved, overrun: 0n }))
  return { verdict: 'done', to: { ...held, state }, deltas }
}

function settle(held: Held, used: readonly Want[], roomOf: RoomOf): Closed {
  const byKey = new Map(addUp(used).map((want) => [keyOf(want), want]))
  const usedAmounts = held.wants.map((want) => byKey.get(keyOf(want))?.amount ?? 0n)
  const wanted = new Map(held.wants.map((want) => [keyOf(want), want.amount]))
  for (const [key, { resource, amount }] of byKey) {
    const reserved = wanted.get(key) ?? 0n
    if (amount > reserved) return { verdict: 'exceeds', resource, reserved, used: amount }
  }
  if (held.usedAmounts !== null) {
    const same = held.usedAmounts.every((amount, at) => amount === usedAmounts[at])
    return same ? NOTHING : { verdict: 'differs' }
  }
  const late = held.state !== 'reserved'
  const items = held.items.map((item): Item => {
    const amount = amountOn(item, held.wants, usedAmounts)
    // What was reserved has its place; what was not takes what is left, and the rest is told as overrun.
    const overrun = late ? beyond(amount, roomOf(item)) : 0n
    return { ...item, used: amount - overrun, overrun }
  })
  const deltas = items.map(({ used, overrun, reserved }) => ({ used, overrun, reserved: late ? 0n : -reserved }))
  return { verdict: 'done', to: { ...held, state: 'settled', late, usedAmounts, items }, deltas }
}

function giveBack(held: Held): Closed {
  if (held.state === 'returned') return NOTHING
  if (held.state !== 'settled') return { verdict: 'unsettled' }
  const deltas = held.items.map((item) =>
    item.isLevel ? { used: -item.used, reserved: 0n, overrun: -item.overrun } : { used: 0n, reserved: 0n, overrun: 0n },
  )
  return { verdict: 'done', to: { ...held, state: 'returned' }, deltas }
}

/** A quota counts the wants of its resource and, where it is for one kind, of that kind. */
function amountOn(item: Item, wants: readonly Want[], amounts: readonly bigint[]): bigint {
  return wants.reduce((sum, want, at) => {
    const counts = want.resource === item.resource && (item.kind === null || item.kind === want.kind)
    return counts ? sum + (amounts[at] ?? 0n) : sum
  }, 0n)
}

function beyond(amount: bigint, room: bigint | null): bigint {
  if (room === null || amount <= room) return 0n
  return room > 0n ? amount - room : amount
}
