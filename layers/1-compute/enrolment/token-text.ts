import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RandomBytes } from '@medley/kernel'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const TOKEN_PATTERN = /^mjt_([0-9A-Za-z]{10})_[0-9A-Za-z]{43}$/

/** `mjt_<prefix>_<secret>`; the secret carries 43 * log2(62) = 256 bits. */
export function newTokenText(randomBytes: RandomBytes): { readonly token: string; readonly prefix: string } {
  const prefix = base62(10, randomBytes)
  return { token: `mjt_${prefix}_${base62(43, randomBytes)}`, prefix }
}

/** @returns the public part, or null where the text has not the form of a join token */
export function prefixOf(token: string): string | null {
  return TOKEN_PATTERN.exec(token)?.[1] ?? null
}

/** HMAC-SHA-256 of the whole token, hex: a stolen table alone cannot be searched for one. */
export function hashToken(pepper: string, token: string): string {
  return createHmac('sha256', pepper).update(token).digest('hex')
}

/** Takes the same time wherever the two differ. */
export function matchesHash(pepper: string, token: string, hash: string): boolean {
  const actual = Buffer.from(hashToken(pepper, token), 'hex')
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
