import { add, compare, type Decimal, least, negate, subtract } from './decimal.ts'

export interface WalletState {
  /** What is left of top-ups; below 0 by no more than `creditLimit`. What is held has left it. */
  readonly balance: Decimal
  readonly creditLimit: Decimal
  /** Used beyond balance and credit line, where nobody had held the money before: paid before anything else. */
  readonly owed: Decimal
  /** At or below this, the wallet is low. */
  readonly lowAt: Decimal
}

export type WalletLevel = 'open' | 'low' | 'empty'

/** What happens to a wallet; each `0` where it does not. */
export interface Movement {
  /** Comes back from a hold, or is paid out of it. */
  readonly released?: Decimal
  /** To be paid; below 0: a correction that gives back. */
  readonly charged?: Decimal
  readonly toppedUp?: Decimal
}

/**
 * The one way money moves: what is owed and charged is paid out of what came and what was there, down to the credit
 * line and never past it; the rest is owed.
 */
export function move(wallet: WalletState, movement: Movement): WalletState {
  const came = add(movement.released ?? '0', movement.toppedUp ?? '0')
  const due = add(wallet.owed, movement.charged ?? '0')
  const paid = least(due, add(add(wallet.balance, wallet.creditLimit), came))
  return { ...wallet, balance: subtract(add(wallet.balance, came), paid), owed: subtract(due, paid) }
}

/** What can still be held. */
export function availableOf({ balance, creditLimit, owed }: WalletState): Decimal {
  return subtract(add(balance, creditLimit), owed)
}

/** @returns `null` when it is more than there is. */
export function takeOut(wallet: WalletState, amount: Decimal): WalletState | null {
  if (compare(availableOf(wallet), amount) < 0) return null
  return { ...wallet, balance: add(wallet.balance, negate(amount)) }
}

export function levelOf(wallet: WalletState): WalletLevel {
  const available = availableOf(wallet)
  if (compare(available, '0') <= 0) return 'empty'
  return compare(available, wallet.lowAt) <= 0 ? 'low' : 'open'
}
