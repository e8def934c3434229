import type { Selectable } from 'kysely'
import type { AlertRule } from '../domain/rule.ts'
import type { Alert, AlertChannel, Delivery } from '../ports.ts'
import type { AlertChannelsTable, AlertDeliveriesTable, AlertRulesTable, AlertsTable } from './tables.ts'

export function toRule(row: Selectable<AlertRulesTable>): AlertRule {
  return {
    id: row.id,
    builtIn: row.built_in !== null,
    name: row.name,
    enabled: row.enabled,
    severity: row.severity,
    condition: row.condition,
    forSeconds: row.for_seconds,
    vendors: row.vendors,
    includeSimulated: row.include_simulated,
    channelIds: row.channel_ids,
  }
}

export function fromRule(rule: Omit<AlertRule, 'id' | 'builtIn'>) {
  return {
    name: JSON.stringify(rule.name),
    enabled: rule.enabled,
    severity: rule.severity,
    condition: JSON.stringify(rule.condition),
    for_seconds: rule.forSeconds,
    vendors: [...rule.vendors],
    include_simulated: rule.includeSimulated,
    channel_ids: [...rule.channelIds],
  }
}

export function toChannel(row: Selectable<AlertChannelsTable>): AlertChannel {
  const { id, name, kind, address, signed, locale, enabled } = row
  return { id, name, kind, address, signed, locale, enabled, createdAt: row.created_at }
}

export function toAlert(row: Selectable<AlertsTable>, deliveries: readonly Delivery[]): Alert {
  return {
    id: row.id,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    severity: row.severity,
    state: row.state,
    nodeId: row.node_id,
    chipId: row.chip_id,
    subject: row.subject,
    simulated: row.simulated,
    value: row.value,
    evidence: row.evidence,
    startedAt: row.started_at,
    resolvedAt: row.resolved_at,
    acknowledged:
      row.acknowledged_at === null
        ? null
        : { at: row.acknowledged_at, by: row.acknowledged_by ?? '', note: row.acknowledged_note ?? '' },
    deliveries,
  }
}

export function toDelivery(row: Selectable<AlertDeliveriesTable>): Delivery {
  const { event, state, attempts, at } = row
  return { channelId: row.channel_id, event, state, attempts, lastError: row.last_error, at }
}
