import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RandomBytes } from '@medley/kernel'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const KEY_PATTERN = /^mk_([0-9A-Za-z]{10})_[0-9A-Za-z]{43}$/

export interface KeyText {
  /** `mk_<prefix>_<secret>`; the secret carries 43 * log2(62) = 256 bits. */
  readonly key: string
  readonly prefix: string
}

export function newKeyText(randomBytes: RandomBytes): KeyText {
  const prefix = base62(10, randomBytes)
  return { key: `mk_${prefix}_${base62(43, randomBytes)}`, prefix }
}

/** @returns the public part, or null when the text has not the form of a key. */
export function prefixOf(key: string): string | null {
  return KEY_PATTERN.exec(key)?.[1] ?? null
}

/** HMAC-SHA-256 of the whole key, hex; the pepper's text is the HMAC key. */
export function hashKey(pepper: string, key: string): string {
  return createHmac('sha256', pepper).update(key).digest('hex')
}

/** Takes the same time wherever the two differ. */
export function matchesHash(pepper: string, key: string, hash: string): boolean {
  const actual = Buffer.from(hashKey(pepper, key), 'hex')
  const expected = Buffer.from(hash, 'hex')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

/** Uniform: bytes beyond the last whole multiple of 62 are drawn again. */
function base62(length: number, randomBytes: RandomBytes): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]
    }
  }
  return text
}
