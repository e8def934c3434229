import type { Id } from '@medley/kernel'
import { sql } from 'kysely'
import { add, canonical, compare, type Decimal, isDecimal, multiply } from './domain/decimal.ts'
import { monthAt, monthFinder } from './domain/zone.ts'
import { errors } from './errors.ts'
import { lockWallet, type Wallet } from './ledger.ts'
import { type Parts, type Tx, tell } from './parts.ts'
import type { Budget, BudgetUse } from './ports.ts'

interface Spent {
  readonly projectId: string
  readonly amount: Decimal
  readonly at: Date
}

/** Adds charges of a locked wallet's tenant to what its projects spent, and tells of budgets that reach a share. */
export async function countSpend(tx: Tx, parts: Parts, wallet: Wallet, charges: readonly Spent[]): Promise<void> {
  const monthOf = monthFinder(wallet.timeZone)
  const sums = new Map<string, { project_id: string; month: string; spent: Decimal }>()
  for (const { projectId, amount, at } of charges) {
    const month = monthOf(at)
    const key = `${month} ${projectId}`
    sums.set(key, { project_id: projectId, month, spent: add(sums.get(key)?.spent ?? '0', amount) })
  }
  if (sums.size === 0) return
  await sql`
    insert into project_spend (tenant_id, project_id, month, spent)
    select ${wallet.tenantId}, r.project_id, r.month, r.spent
    from jsonb_to_recordset(${JSON.stringify([...sums.values()])}::jsonb)
      as r(project_id text, month text, spent numeric)
    on conflict (tenant_id, month, project_id)
    do update set spent = project_spend.spent + excluded.spent`.execute(tx)
  const months = [...new Set([...sums.values()].map((sum) => sum.month))]
  for (const use of await budgetUses(tx, wallet.tenantId, months)) await alert(tx, parts, use)
}

async function alert(tx: Tx, parts: Parts, use: BudgetUse): Promise<void> {
  const reached = use.alertShares.filter((share) => compare(use.spent, multiply(use.amount, share)) >= 0)
  if (reached.length === 0) return
  const { rows } = await sql<{ share: string }>`
    insert into budget_alerts (budget_id, tenant_id, month, share)
    select ${use.id}, ${use.tenantId}, ${use.month}, share from unnest(${reached}::numeric[]) as share
    on conflict do nothing returning share`.execute(tx)
  for (const { share } of rows) {
    const { id, tenantId, projectId, month, amount, spent } = use
    const payload = { projectId, month, amount, spent, share: canonical(share) }
    await tell(tx, parts, { type: 'money.budget.reached', tenantId, subject: id, payload })
  }
}

interface BudgetRow {
  id: string
  tenant_id: string
  project_id: string | null
  amount: string
  alert_shares: string[]
  month: string
  spent: string
}

async function budgetUses(tx: Tx, tenantId: string, months: readonly string[]): Promise<BudgetUse[]> {
  const { rows } = await sql<BudgetRow>`
    select b.id, b.tenant_id, b.project_id, b.amount, b.alert_shares::text[] as alert_shares, m.month,
      coalesce((
        select sum(s.spent) from project_spend s
        where s.tenant_id = b.tenant_id and s.month = m.month and (b.project_id is null or s.project_id = b.project_id)
      ), 0) as spent
    from budgets b cross join unnest(${[...months]}::text[]) as m(month)
    where b.tenant_id = ${tenantId}
    order by b.project_id nulls first, m.month`.execute(tx)
  return rows.map((row) => ({
    id: row.id as Id<'budget'>,
    tenantId: row.tenant_id,
    projectId: row.project_id,
    amount: canonical(row.amount),
    alertShares: row.alert_shares.map(canonical),
    month: row.month,
    spent: canonical(row.spent),
  }))
}

/** What has been reached already this month is told at once. @throws AppError `money.budget.invalid` */
export async function saveBudget(tx: Tx, parts: Parts, budget: Budget): Promise<void> {
  const isAmount = (text: string) => isDecimal(text, 6) && compare(text, '0') > 0
  if (!isAmount(budget.amount) || !budget.alertShares.every(isAmount)) throw errors['budget.invalid']()
  const wallet = await lockWallet(tx, budget.tenantId)
  await sql`
    insert into budgets (id, tenant_id, project_id, amount, alert_shares)
    values (${parts.ids.next('budget')}, ${budget.tenantId}, ${budget.projectId}, ${budget.amount},
      ${[...budget.alertShares]}::numeric[])
    on conflict (tenant_id, project_id)
    do update set amount = excluded.amount, alert_shares = excluded.alert_shares`.execute(tx)
  for (const use of await usesNow(tx, parts, wallet))
    if (use.projectId === budget.projectId) await alert(tx, parts, use)
}

/** In the month that the wallet's zone has now. */
export function usesNow(
  tx: Tx,
  { clock }: Pick<Parts, 'clock'>,
  wallet: Pick<Wallet, 'tenantId' | 'timeZone'>,
): Promise<BudgetUse[]> {
  return budgetUses(tx, wallet.tenantId, [monthAt(wallet.timeZone, clock.now()).month])
}
