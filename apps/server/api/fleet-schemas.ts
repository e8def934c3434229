/** Shapes of the control API for nodes, chips, their history, readings, alerts, supply and the audit. */
import { z } from '@hono/zod-openapi'
import { nodeFacts } from '@medley/fleet/protocol'
import { coded } from './coded-schema.ts'

const timestamp = z.iso.datetime().openapi({ description: 'ISO 8601 in UTC' })
const nullableText = z.string().nullable()
const nullableNumber = z.number().nullable()
const count = z.number().int().nonnegative()
const localized = z.object({ en: z.string(), 'zh-CN': z.string() })
const word = z.string().trim().min(1).max(200)

export const chipState = z.enum(['absent', 'no-driver', 'unusable', 'lost', 'degraded', 'healthy', 'unknown'])
export const nodeState = z.enum(['connected', 'away', 'revoked'])
const chipStates = z.partialRecord(chipState, count)

export const place = z.object({ rack: nullableText, spine: nullableText }).openapi('Place')
export const taint = z
  .object({
    key: z.string(),
    value: z.string(),
    effect: z.enum(['no-schedule', 'prefer-no-schedule', 'no-execute']),
  })
  .openapi('Taint')

export const maintenanceWindow = z
  .object({
    id: z.string(),
    nodeId: z.string(),
    startsAt: timestamp,
    endsAt: timestamp,
    reason: z.string(),
    createdBy: z.string(),
  })
  .openapi('MaintenanceWindow')
export type MaintenanceWindow = z.infer<typeof maintenanceWindow>

export const node = z
  .object({
    id: z.string(),
    /** Null: the centre's own, for all tenants. */
    tenantId: nullableText,
    simulated: z.boolean(),
    facts: nodeFacts,
    state: nodeState,
    stateSince: timestamp,
    labels: z.record(z.string(), z.string()),
    taints: z.array(taint),
    place,
    cordon: z
      .object({
        state: z.enum(['open', 'cordoned', 'draining', 'drained']),
        since: timestamp,
        by: z.string(),
        reason: z.string(),
      })
      .nullable(),
    maintenance: maintenanceWindow.nullable(),
    clockSkewMs: nullableNumber,
    chipCount: count,
    chipStates,
    firstSeenAt: timestamp,
    lastSeenAt: timestamp,
  })
  .openapi('Node')
export type Node = z.infer<typeof node>

/** What the fleet knows of a chip beyond its facts; part of `Chip`. */
export const chipStanding = z.object({
  state: chipState,
  stateSince: timestamp,
  evidence: z.array(coded),
  quarantine: z.object({ since: timestamp, reason: coded, by: z.string() }).nullable(),
  /** Taken out for good: in no list or count, with its history kept. */
  retired: z.object({ since: timestamp, reason: coded, by: z.string() }).nullable().optional(),
  usable: z.boolean(),
  place,
  /** Newest readings by metric name, with their time; null before the first. */
  reading: z.object({ at: timestamp, values: z.record(z.string(), nullableNumber) }).nullable(),
})

export const card = z
  .object({
    cardKey: z.string(),
    nodeId: z.string(),
    vendor: z.string(),
    product: z.string(),
    serial: nullableText,
    powerWatts: nullableNumber,
    chips: z.array(z.object({ id: z.string(), uuid: z.string(), chipOnCard: count, state: chipState })),
  })
  .openapi('Card')
export type Card = z.infer<typeof card>

export const chipEvent = z
  .object({
    id: z.string(),
    chipId: z.string(),
    nodeId: z.string(),
    at: timestamp,
    kind: z.enum([
      'found',
      'state',
      'moved',
      'product',
      'driver-version',
      'firmware-version',
      'quarantined',
      'released',
      'retired',
      'restored',
      'claimed-twice',
    ]),
    from: nullableText,
    to: nullableText,
    evidence: z.array(coded),
    by: nullableText,
  })
  .openapi('ChipEvent')
export type ChipEvent = z.infer<typeof chipEvent>

export const gap = z
  .object({
    from: timestamp,
    to: timestamp,
    reason: z.enum(['agent-stopped', 'buffer-full', 'clock-jumped', 'not-read', 'unknown']),
  })
  .openapi('Gap', { description: 'A time in which nobody looked' })
export type Gap = z.infer<typeof gap>

export const fleetSummary = z
  .object({
    nodes: count,
    chips: count,
    byVendor: z.array(z.object({ vendor: z.string(), simulated: z.boolean(), states: chipStates })),
  })
  .openapi('FleetSummary')
export type FleetSummary = z.infer<typeof fleetSummary>

/** One cell of the fleet map. Short: ten thousand of them are one answer. */
export const fleetCell = z
  .object({
    chipId: z.string(),
    nodeId: z.string(),
    nodeName: z.string(),
    vendor: z.string(),
    product: z.string(),
    rack: nullableText,
    state: chipState,
    quarantined: z.boolean(),
    driverVersion: nullableText,
    simulated: z.boolean(),
    utilizationRatio: nullableNumber,
    temperatureCelsius: nullableNumber,
  })
  .openapi('FleetCell')
export type FleetCell = z.infer<typeof fleetCell>

export const fleetMap = z.object({ at: timestamp, cells: z.array(fleetCell) }).openapi('FleetMap')

/** Links within the node and where the node stands. */
export const nodeTopology = z
  .object({
    nodeId: z.string(),
    place,
    chips: z.array(
      z.object({
        id: z.string(),
        uuid: z.string(),
        index: z.number().nullable(),
        product: z.string(),
        numaNode: z.number().nullable(),
        state: chipState,
      }),
    ),
    links: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        kind: z.enum(['card', 'link', 'switch', 'switches', 'bridge', 'socket', 'system']),
        label: z.string(),
        bytesPerSecond: nullableNumber,
      }),
    ),
  })
  .openapi('NodeTopology')
export type NodeTopology = z.infer<typeof nodeTopology>

/** What Medley knows of a vendor: how its chips are found, named and launched, and what its maker says of them. */
export const vendor = z
  .object({
    name: z.string(),
    /** False: no real output of the tool was seen, the layout is unverified. */
    layoutVerified: z.boolean(),
    domestic: z.boolean().nullable(),
    pciVendorIds: z.array(z.string()),
    kubernetesResources: z.array(z.string()),
    torchDevice: nullableText,
    collectiveLibrary: nullableText,
    sheets: z.array(
      z.object({
        product: z.string(),
        peaks: z.array(z.object({ dtype: z.string(), teraops: z.number(), sparse: z.boolean() })),
        bandwidthBytesPerSecond: nullableNumber,
        source: z.string(),
        confidence: z.enum(['high', 'medium', 'low']),
        /** Given by the operator instead of ours. */
        overridden: z.boolean(),
      }),
    ),
  })
  .openapi('Vendor')
export type Vendor = z.infer<typeof vendor>

export const metricDefinition = z
  .object({ name: z.string(), exposed: z.string(), kind: z.string(), unit: z.string(), title: localized })
  .openapi('Metric')

export const series = z
  .object({
    chipId: z.string(),
    metric: z.string(),
    unit: z.string(),
    resolution: z.enum(['raw', 'minute', 'hour']),
    /** `[time in ms since the epoch, min, mean, max]` */
    points: z.array(z.tuple([z.number(), nullableNumber, nullableNumber, nullableNumber])),
    gaps: z.array(gap),
  })
  .openapi('Series')
export type Series = z.infer<typeof series>

export const joinToken = z
  .object({
    id: z.string(),
    note: z.string(),
    createdBy: z.string(),
    createdAt: timestamp,
    expiresAt: timestamp,
    usesLeft: count,
    revokedAt: timestamp.nullable(),
    dedicated: z.boolean(),
    simulated: z.boolean(),
  })
  .openapi('JoinToken')
export type JoinToken = z.infer<typeof joinToken>

export const newJoinToken = z
  .strictObject({
    note: z.string().trim().max(200).default(''),
    ttlSeconds: z.number().int().min(60).max(86_400).default(3_600),
    uses: z.number().int().min(1).max(2_000).default(1),
    dedicated: z.boolean().default(false),
    simulated: z.boolean().default(false),
  })
  .openapi('NewJoinToken')

export const createdJoinToken = joinToken
  .extend({ token: z.string(), command: z.string().openapi({ description: 'What to run on the node' }) })
  .openapi('CreatedJoinToken')

export const nodeChange = z
  .strictObject({
    labels: z.record(z.string(), z.string()).optional(),
    taints: z.array(taint).max(50).optional(),
    place: place.optional(),
  })
  .openapi('NodeChange')
export const cordonRequest = z
  .strictObject({ reason: z.string().trim().max(500).default(''), drain: z.boolean().default(false) })
  .openapi('CordonRequest')
export const newMaintenance = z
  .strictObject({ startsAt: timestamp, endsAt: timestamp, reason: word })
  .openapi('NewMaintenance')
export const reasonRequest = z.strictObject({ reason: word }).openapi('ReasonRequest')

/** When to call somebody. */
export const alertRule = z
  .object({
    id: z.string(),
    /** Ours, in both languages; null for the operator's own. */
    builtIn: z.boolean(),
    name: localized,
    enabled: z.boolean(),
    severity: z.enum(['info', 'warning', 'critical']),
    condition: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('metric'),
        metric: z.string(),
        comparison: z.enum(['above', 'below', 'increased-by']),
        threshold: z.number(),
      }),
      z.object({ kind: z.literal('chip-state'), states: z.array(chipState).min(1) }),
      z.object({ kind: z.literal('node-away') }),
      /** A chip's driver differs from that of most chips of its product. */
      z.object({ kind: z.literal('driver-drift') }),
      z.object({ kind: z.literal('quarantine') }),
    ]),
    /** How long it must be so before anybody is called. */
    forSeconds: count,
    /** Vendor names; empty: all. */
    vendors: z.array(z.string()),
    includeSimulated: z.boolean(),
    channelIds: z.array(z.string()),
  })
  .openapi('AlertRule')
export type AlertRule = z.infer<typeof alertRule>

export const newAlertRule = alertRule
  .omit({ id: true, builtIn: true })
  .extend({ name: z.union([word, localized]) })
  .openapi('NewAlertRule')

export const alert = z
  .object({
    id: z.string(),
    ruleId: z.string(),
    ruleName: localized,
    severity: z.enum(['info', 'warning', 'critical']),
    state: z.enum(['firing', 'resolved']),
    nodeId: nullableText,
    chipId: nullableText,
    subject: z.string().openapi({ description: 'Name of the node or chip, for reading' }),
    simulated: z.boolean(),
    value: nullableNumber,
    evidence: z.array(coded),
    startedAt: timestamp,
    resolvedAt: timestamp.nullable(),
    acknowledged: z.object({ at: timestamp, by: z.string(), note: z.string() }).nullable(),
    deliveries: z.array(
      z.object({
        channelId: z.string(),
        event: z.enum(['firing', 'resolved']),
        state: z.enum(['waiting', 'delivered', 'failed']),
        attempts: count,
        lastError: nullableText,
        at: timestamp,
      }),
    ),
  })
  .openapi('Alert')
export type Alert = z.infer<typeof alert>

export const alertChannel = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['wecom', 'feishu', 'dingtalk', 'webhook']),
    /** Host and the last four characters only: the rest of such an address is a secret. */
    address: z.string(),
    signed: z.boolean(),
    locale: z.enum(['en', 'zh-CN']),
    enabled: z.boolean(),
    createdAt: timestamp,
  })
  .openapi('AlertChannel')
export type AlertChannel = z.infer<typeof alertChannel>

export const newAlertChannel = z
  .strictObject({
    name: word,
    kind: alertChannel.shape.kind,
    url: z.url({ protocol: /^https?$/ }),
    /** Signing secret where the kind has one. */
    secret: z.string().min(1).max(500).optional(),
    locale: alertChannel.shape.locale.default('zh-CN'),
    enabled: z.boolean().default(true),
  })
  .openapi('NewAlertChannel')

const petaflops = z
  .object({
    dtype: z.string(),
    /** Peak by the sheet, dense unless `sparse`; PFLOPS (10^15 operations a second). */
    nominal: z.number(),
    /** Nominal times the measured efficiency of chips that have a score; null where none has. */
    effective: nullableNumber,
    /** Share of the nominal figure that rests on chips with a measured score. */
    measuredShare: z.number(),
    /** Worst confidence among the sheets that went in. */
    confidence: z.enum(['high', 'medium', 'low']),
    sparse: z.boolean(),
  })
  .openapi('Petaflops')

export const capacity = z
  .object({
    at: timestamp,
    /** What the headline rests on: shown beside it. */
    assumption: z.object({ dtype: z.string(), sparse: z.boolean(), text: localized }),
    headline: petaflops.nullable(),
    byVendor: z.array(
      z.object({
        vendor: z.string(),
        domestic: z.boolean().nullable(),
        simulated: z.boolean(),
        chips: count,
        /** Chips whose product has no sheet: counted in no figure. */
        chipsWithoutSheet: count,
        products: z.array(z.string()),
        figures: z.array(petaflops),
        states: chipStates,
      }),
    ),
    byState: z.array(z.object({ state: chipState, chips: count, nominal: z.number() })),
    /** Share of domestic chips, in the last 24 h; null where nothing was used. */
    domestic: z.object({
      ofChips: nullableNumber,
      ofCardHours: nullableNumber,
      ofTokens: nullableNumber,
      idle: z.array(
        z.object({
          cause: z.enum(['no-demand', 'cordoned', 'maintenance', 'quarantined', 'not-usable', 'away']),
          chips: count,
          nominal: z.number(),
        }),
      ),
    }),
  })
  .openapi('Capacity')
export type Capacity = z.infer<typeof capacity>

export const capacityPoint = z
  .object({
    at: timestamp,
    nominal: z.number(),
    effective: nullableNumber,
    usable: z.number(),
    chips: count,
  })
  .openapi('CapacityPoint')

export const auditEntry = z
  .object({
    id: z.string(),
    at: timestamp,
    actor: z.object({ kind: z.string(), id: z.string() }),
    action: z.string(),
    subject: nullableText,
    outcome: z.enum(['done', 'denied', 'failed']),
    code: nullableText,
    from: nullableText,
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi('AuditEntry')
export type AuditEntry = z.infer<typeof auditEntry>
