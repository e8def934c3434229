import type { Viewer } from '@medley/fleet'
import type { Clock, IdFactory, Locale, Localized, Scope } from '@medley/kernel'
import type { Store } from '@medley/store'
import type { Coded, Observation } from './domain/observation.ts'
import type { AlertRule, Condition, Severity } from './domain/rule.ts'

export type { ChipObservation, Coded, NodeObservation, Observation } from './domain/observation.ts'
export type { AlertRule, Condition, Severity } from './domain/rule.ts'
export type { Viewer }

/** A rule as it is asked for; a name in one language is shown in both. */
export interface NewAlertRule {
  readonly name: string | Localized
  readonly enabled: boolean
  readonly severity: Severity
  readonly condition: Condition
  readonly forSeconds: number
  readonly vendors: readonly string[]
  readonly includeSimulated: boolean
  readonly channelIds: readonly string[]
}

/** Members left out stay. Of a built-in rule only threshold, duration, channels and `enabled` may change. */
export type AlertRuleChange = { readonly [Key in keyof NewAlertRule]?: NewAlertRule[Key] | undefined }

export type ChannelKind = 'wecom' | 'feishu' | 'dingtalk' | 'webhook'

export interface AlertChannel {
  readonly id: string
  readonly name: string
  readonly kind: ChannelKind
  /** Host and last four characters; the whole is a secret. */
  readonly address: string
  readonly signed: boolean
  readonly locale: Locale
  readonly enabled: boolean
  readonly createdAt: Date
}

export interface NewAlertChannel {
  readonly name: string
  readonly kind: ChannelKind
  readonly url: string
  readonly secret?: string | undefined
  readonly locale: Locale
  readonly enabled: boolean
}

export interface Delivery {
  readonly channelId: string
  readonly event: 'firing' | 'resolved'
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  readonly lastError: string | null
  readonly at: Date
}

export interface Alert {
  readonly id: string
  readonly ruleId: string
  readonly ruleName: Localized
  readonly severity: Severity
  readonly state: 'firing' | 'resolved'
  readonly nodeId: string | null
  readonly chipId: string | null
  readonly subject: string
  readonly simulated: boolean
  readonly value: number | null
  readonly evidence: readonly Coded[]
  readonly startedAt: Date
  readonly resolvedAt: Date | null
  readonly acknowledged: { readonly at: Date; readonly by: string; readonly note: string } | null
  readonly deliveries: readonly Delivery[]
}

export interface AlertPage {
  readonly items: readonly Alert[]
  readonly nextCursor: string | null
}

/** What a channel's far side said to one message. */
export type SendOutcome = { readonly ok: true } | { readonly ok: false; readonly error: string }

export interface Alerting {
  rules(): Promise<readonly AlertRule[]>
  /** @throws AppError `alerting.rule.invalid`, `alerting.channel.unknown` */
  createRule(rule: NewAlertRule): Promise<AlertRule>
  /** @throws AppError `alerting.rule.unknown`, `alerting.rule.invalid`, `alerting.rule.built-in` */
  changeRule(id: string, change: AlertRuleChange): Promise<AlertRule>
  /** Its open alerts are resolved. @throws AppError `alerting.rule.unknown`, `alerting.rule.built-in` */
  deleteRule(id: string): Promise<void>

  channels(): Promise<readonly AlertChannel[]>
  /** @throws AppError `alerting.channel.invalid` */
  createChannel(channel: NewAlertChannel): Promise<AlertChannel>
  /** What waits for it is given up. @throws AppError `alerting.channel.unknown` */
  deleteChannel(id: string): Promise<void>
  /** Sends one message that says it is a test, now, also to a channel that is disabled. @throws AppError `alerting.channel.unknown` */
  testChannel(id: string): Promise<SendOutcome>

  /** Newest first. @throws AppError `alerting.cursor.invalid` */
  alerts(page: {
    readonly viewer: Viewer
    readonly state?: Alert['state'] | undefined
    readonly cursor?: string | null | undefined
    readonly limit?: number | undefined
  }): Promise<AlertPage>
  /** @throws AppError `alerting.alert.unknown`, also where the viewer may not see it */
  alert(id: string, viewer: Viewer): Promise<Alert>
  /** A later acknowledgement replaces an earlier one. @throws AppError `alerting.alert.unknown` */
  acknowledge(scope: Scope, id: string, note: string, viewer: Viewer): Promise<Alert>

  /**
   * Compares the fleet with the rules; what begins or ends is stored together with what is to be sent of it. Called
   * every few seconds, one call at a time (a second waits for the first). Costs milliseconds for ten thousand chips.
   */
  evaluate(observation: Observation, nowMs?: number): Promise<{ readonly fired: number; readonly resolved: number }>

  /** Sends what is due, once. @returns messages tried. */
  deliver(): Promise<number>
  /** Sends what is due every second until {@link Alerting.stop}. */
  start(): void
  /** Ends when the message under way is over. */
  stop(): Promise<void>
  /**
   * Drops resolved alerts that ended before the given time or are more than are kept, the oldest first, a few thousand
   * in a transaction; none of which a message still waits. @returns how many.
   */
  retain(before: Date): Promise<number>
}

export interface AlertingPorts {
  readonly store: Store
  readonly ids: IdFactory
  readonly clock: Clock
  /** The instance's secret, at least 32 bytes; the key of the channels' addresses is derived from it. */
  readonly secret: Uint8Array
  /** Sentences of the evidence codes of chips, for messages; `{name}` is replaced by the parameter of that name. */
  readonly evidenceTexts?: Readonly<Record<string, Localized>> | undefined
  /** IANA name of the zone in which messages tell the time; the server's own when left out. */
  readonly timeZone?: string | undefined
  /** Told of messages that could not be sent; never holds an address or a secret. */
  readonly log?: ((message: string, fields: Readonly<Record<string, string | number>>) => void) | undefined
  /** Shortest time between two messages of one channel, milliseconds; 10,000 when left out. */
  readonly messageIntervalMs?: number | undefined
  /** How long the first alert waits for others of the same failure, milliseconds; 3,000 when left out. */
  readonly gatherMs?: number | undefined
  /** Resolved alerts that are kept at most, whatever their age; 100,000 when left out. */
  readonly mostResolved?: number | undefined
}
