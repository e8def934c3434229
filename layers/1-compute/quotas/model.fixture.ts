/** What quotas are, said as plainly as possible and for one tenant in memory: the reference of the property test. */
import type { QuotaLevel, Want } from './index.ts'

interface ModelQuota {
  readonly level: QuotaLevel
  readonly subjectId: string
  readonly resource: string
  readonly kind: string | null
  readonly window: 'minute' | 'level'
  readonly mode: 'hard' | 'soft'
  readonly limit: bigint
}

interface ModelRequest {
  readonly request: number
  readonly chain: Readonly<Partial<Record<QuotaLevel, string>>>
  readonly wants: readonly Want[]
  readonly ttlMs: number
}

interface Item {
  readonly quota: number
  readonly window: string
  readonly reserved: bigint
  used: bigint
  overrun: bigint
}

interface Held extends ModelRequest {
  state: 'reserved' | 'settled' | 'returned' | 'gone'
  late: boolean
  expiresMs: number
  used: string | null
  items: Item[]
}

export type Model = ReturnType<typeof createModel>

export function createModel(given: readonly ModelQuota[]) {
  const quotas = given.map((quota) => ({ ...quota }))
  const limits = given.map((quota) => quota.limit)
  const held = new Map<number, Held>()

  const windowOf = (at: number, nowMs: number) =>
    quotas[at]?.window === 'level' ? 'level' : String(Math.floor(nowMs / 60_000))

  /** From the reservations alone, every time. */
  function useOf(quota: number, window: string) {
    const use = { used: 0n, reserved: 0n, overrun: 0n }
    for (const each of held.values()) {
      for (const item of each.items.filter((one) => one.quota === quota && one.window === window)) {
        if (each.state === 'reserved') use.reserved += item.reserved
        if (each.state === 'settled' || (each.state === 'returned' && window !== 'level')) {
          use.used += item.used
          use.overrun += item.overrun
        }
      }
    }
    return use
  }

  function amountOn(quota: number, wants: readonly Want[]): bigint {
    const { resource, kind } = quotas[quota] ?? {}
    const counted = wants.filter((want) => want.resource === resource && (kind === null || want.kind === kind))
    return counted.reduce((sum, want) => sum + want.amount, 0n)
  }

  function roomOf(quota: number, window: string): bigint | null {
    if (quotas[quota]?.mode === 'soft') return null
    const { used, reserved, overrun } = useOf(quota, window)
    return (limits[quota] ?? 0n) - used - reserved - overrun
  }

  function itemsOf({ chain, wants }: ModelRequest, nowMs: number): Item[] {
    return quotas.flatMap(({ level, subjectId }, quota) => {
      const reserved = amountOn(quota, wants)
      const concerned = level === 'tenant' || chain[level] === subjectId
      if (!concerned || reserved === 0n) return []
      return [{ quota, window: windowOf(quota, nowMs), reserved, used: 0n, overrun: 0n }]
    })
  }

  const fits = (items: readonly Item[]) =>
    items.every((item) => {
      const room = roomOf(item.quota, item.window)
      return room === null || item.reserved <= room
    })

  const textOf = (wants: readonly Want[]) => wants.map((want) => want.amount).join()

  function sweep(nowMs: number): void {
    for (const each of held.values()) if (each.state === 'reserved' && each.expiresMs <= nowMs) each.state = 'gone'
  }

  function record(each: Held, used: readonly Want[]): void {
    each.late = each.state === 'gone'
    for (const item of each.items) {
      const amount = amountOn(item.quota, used)
      const room = each.late ? roomOf(item.quota, item.window) : null
      item.used = within(amount, room)
      item.overrun = amount - item.used
    }
    each.state = 'settled'
    each.used = textOf(used)
  }

  return {
    sweep,
    use: (quota: number, nowMs: number) => useOf(quota, windowOf(quota, nowMs)),
    setLimit: (quota: number, limit: bigint): undefined => {
      limits[quota] = limit
    },
    reserve(request: ModelRequest, nowMs: number): string {
      const before = held.get(request.request)
      const same =
        before === undefined ||
        (before.chain.project === request.chain.project && textOf(before.wants) === textOf(request.wants))
      if (!same) return 'quotas.request.differs'
      if (before !== undefined && before.state !== 'gone') return before.state === 'reserved' ? 'reserved' : 'settled'
      const items = itemsOf(request, nowMs)
      if (!fits(items)) sweep(nowMs)
      if (!fits(items)) return 'quotas.exceeded'
      const fresh = { state: 'reserved', late: false, expiresMs: nowMs + request.ttlMs, used: null, items } as const
      held.set(request.request, { ...request, ...fresh })
      return 'reserved'
    },
    settle(request: number, used: readonly Want[]): string {
      const each = held.get(request)
      if (each === undefined) return 'quotas.reservation.unknown'
      if (used.some((want, at) => want.amount > (each.wants[at]?.amount ?? 0n))) return 'quotas.settle.exceeds'
      if (each.used !== null && each.used !== textOf(used)) return 'quotas.settle.differs'
      if (each.used === null) record(each, used)
      return `${each.late ? 'late' : 'settled'} ${each.items.reduce((sum, item) => sum + item.overrun, 0n)}`
    },
    release(request: number): string | undefined {
      const each = held.get(request)
      if (each === undefined) return 'quotas.reservation.unknown'
      if (each.used !== null) return 'quotas.reservation.settled'
      each.state = 'gone'
      return undefined
    },
    giveBack(request: number): string | undefined {
      const each = held.get(request)
      if (each === undefined) return 'quotas.reservation.unknown'
      if (each.used === null) return 'quotas.reservation.unsettled'
      each.state = 'returned'
      return undefined
    },
  }
}

function within(amount: bigint, room: bigint | null): bigint {
  if (room === null || room >= amount) return amount
  return room > 0n ? room : 0n
}
