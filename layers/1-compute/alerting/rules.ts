import type { Transaction } from '@medley/store'
import { fromRule, toRule } from './adapters/rows.ts'
import type { AlertingTables } from './adapters/tables.ts'
import { type Context, METRIC_COLUMNS, SCOPE } from './context.ts'
import { BUILT_IN_RULES } from './domain/built-in.ts'
import { faultsOf, fixedMembers } from './domain/check-rule.ts'
import type { AlertRule } from './domain/rule.ts'
import { errors } from './errors.ts'
import type { Alerting, AlertRuleChange } from './ports.ts'

type Settings = Omit<AlertRule, 'id' | 'builtIn'>

export function createRules({
  database,
  ids,
}: Context): Pick<Alerting, 'rules' | 'createRule' | 'changeRule' | 'deleteRule'> {
  return {
    rules: () => database.run(SCOPE, listRules),
    createRule: ({ name, ...rest }) =>
      database.run(SCOPE, async (tx) => {
        const settings: Settings = { ...rest, name: bilingual(name) }
        await check(tx, settings)
        const rule = { ...settings, id: ids.next('rule'), builtIn: false }
        const row = { id: rule.id, tenant_id: null, built_in: null, ...fromRule(rule) }
        await tx.insertInto('alert_rules').values(row).execute()
        return rule
      }),
    changeRule: (id, change) =>
      database.run(SCOPE, async (tx) => {
        const rule = await ruleForChange(tx, id)
        const changed = merge(rule, change)
        const fixed = rule.builtIn ? fixedMembers(rule, changed) : []
        if (fixed.length > 0) {
          const faults = fixed.map((path) => ({ path, message: 'fixed in a built-in rule' }))
          throw errors['rule.built-in']({ id }, { errors: faults })
        }
        await check(tx, changed)
        await tx.updateTable('alert_rules').set(fromRule(changed)).where('id', '=', id).execute()
        return changed
      }),
    deleteRule: (id) =>
      database.run(SCOPE, async (tx) => {
        const rule = await ruleForChange(tx, id)
        if (rule.builtIn) throw errors['rule.built-in']({ id })
        await tx.deleteFrom('alert_rules').where('id', '=', id).execute()
      }),
  }
}

/** Rules that a newer version brings are added; those there stay as the operator left them. */
export async function seedRules({ database, ids }: Context): Promise<void> {
  const rows = BUILT_IN_RULES.map(({ key, ...rule }) => {
    return { id: ids.next('rule'), tenant_id: null, built_in: key, ...fromRule(rule) }
  })
  await database.run(SCOPE, (tx) =>
    tx
      .insertInto('alert_rules')
      .values(rows)
      .onConflict((conflict) => conflict.column('built_in').doNothing())
      .execute(),
  )
}

export async function listRules(tx: Transaction<AlertingTables>): Promise<readonly AlertRule[]> {
  const rows = await tx.selectFrom('alert_rules').selectAll().orderBy('id').execute()
  return rows.map(toRule)
}

async function ruleForChange(tx: Transaction<AlertingTables>, id: string): Promise<AlertRule> {
  const row = await tx.selectFrom('alert_rules').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (!row) throw errors['rule.unknown']({ id })
  return toRule(row)
}

async function check(tx: Transaction<AlertingTables>, rule: Settings): Promise<void> {
  const channels = await tx.selectFrom('alert_channels').select('id').execute()
  const faults = faultsOf(rule, METRIC_COLUMNS, new Set(channels.map(({ id }) => id)))
  if (faults.length > 0) throw errors['rule.invalid']({}, { errors: faults })
}

function merge(rule: AlertRule, change: AlertRuleChange): AlertRule {
  return {
    id: rule.id,
    builtIn: rule.builtIn,
    name: change.name === undefined ? rule.name : bilingual(change.name),
    enabled: change.enabled ?? rule.enabled,
    severity: change.severity ?? rule.severity,
    condition: change.condition ?? rule.condition,
    forSeconds: change.forSeconds ?? rule.forSeconds,
    vendors: change.vendors ?? rule.vendors,
    includeSimulated: change.includeSimulated ?? rule.includeSimulated,
    channelIds: change.channelIds ?? rule.channelIds,
  }
}

function bilingual(name: string | AlertRule['name']): AlertRule['name'] {
  return typeof name === 'string' ? { en: name, 'zh-CN': name } : name
}
