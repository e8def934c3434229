/** Sources of time and entropy, passed in so that pure code stays repeatable. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

export type RandomBytes = (size: number) => Uint8Array

export const ID_KINDS = [
  'agent',
  'alert',
  'audit',
  'book',
  'budget',
  'channel',
  'charge',
  'chip',
  'delivery',
  'deployment',
  'event',
  'hold',
  'inst',
  'jointoken',
  'key',
  'model',
  'node',
  'op',
  'posting',
  'project',
  'quota',
  'record',
  'replica',
  'req',
  'reservation',
  'revision',
  'rule',
  'run',
  'session',
  'share',
  'tenant',
  'usage',
  'user',
  'work',
] as const

export type IdKind = (typeof ID_KINDS)[number]

export type Id<K extends IdKind = IdKind> = `${K}_${string}`

const ID_PATTERN = /^([a-z]+)_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random bits, so that ids sort by
 * creation time and keep index pages warm.
 */
function uuidv7(nowMs: number, randomBytes: RandomBytes): string {
  const bytes = new Uint8Array(16)
  bytes.set(randomBytes(10), 6)
  let time = nowMs
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = time % 256
    time = Math.floor(time / 256)
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export interface IdFactory {
  next<K extends IdKind>(kind: K): Id<K>
}

export function createIdFactory(clock: Clock, randomBytes: RandomBytes): IdFactory {
  return { next: (kind) => `${kind}_${uuidv7(clock.now(), randomBytes)}` }
}

export function isId<K extends IdKind>(kind: K, value: string): value is Id<K> {
  return ID_PATTERN.exec(value)?.[1] === kind
}

/** The name an object has outside its own instance: `urn:medley:<instance>:<kind>:<id>`. */
export function toUrn(instanceId: Id<'inst'>, id: Id): string {
  return `urn:medley:${instanceId}:${id.slice(0, id.indexOf('_'))}:${id}`
}
