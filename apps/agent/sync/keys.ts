import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { z } from 'zod'

const raw = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** An Ed25519 pair (RFC 8032); both halves are raw 32 bytes in base64url. */
export const nodeKeyPair = z.object({ publicKey: raw, privateKey: raw })
export type NodeKeyPair = z.infer<typeof nodeKeyPair>

const jwkOfPair = z.object({ x: raw, d: raw })

export function generateNodeKeyPair(): NodeKeyPair {
  const { x, d } = jwkOfPair.parse(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
  return { publicKey: x, privateKey: d }
}

export function signWith(pair: NodeKeyPair, bytes: Uint8Array): string {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: pair.publicKey, d: pair.privateKey }
  return sign(null, bytes, createPrivateKey({ key: jwk, format: 'jwk' })).toString('base64url')
}

/** False also for a key or a signature that is none. */
export function isSignedBy(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
    return verify(null, bytes, key, Buffer.from(signature, 'base64url'))
  } catch {
    return false
  }
}
