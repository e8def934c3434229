import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { challengeBytes, proofBytes, upgradeBytes } from './protocol.ts'

/** Length of an Ed25519 public key and of a signature (RFC 8032 section 5.1), bytes. */
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

type Proof = Parameters<typeof proofBytes>[0]
type Challenge = Parameters<typeof challengeBytes>[0]
type Upgrade = Parameters<typeof upgradeBytes>[0]

/** Whoever holds the instance's private key; `Instance` of `@medley/identity` is one. */
export interface InstanceSigner {
  sign(bytes: Uint8Array): Uint8Array
}

export interface NodeKey {
  /** Raw 32 bytes, base64url: goes into the join request. */
  readonly publicKey: string
  readonly privateKey: KeyObject
  /** PKCS #8, PEM: for the agent's own directory, readable by the agent alone. */
  readonly privateKeyPem: string
}

export function generateNodeKey(): NodeKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  return nodeKeyOf(privateKey)
}

/** @throws TypeError where the text is not the PEM of an Ed25519 private key */
export function nodeKeyFromPem(privateKeyPem: string): NodeKey {
  return nodeKeyOf(createPrivateKey(privateKeyPem))
}

/** 32 random bytes, base64url. */
export function newNonce(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Takes a key object or the PEM of a public key (SPKI).
 *
 * @throws TypeError where it is not an Ed25519 key
 */
export function rawPublicKey(key: KeyObject | string): string {
  const publicKey = key instanceof KeyObject && key.type === 'public' ? key : createPublicKey(key)
  const { crv, x } = publicKey.export({ format: 'jwk' })
  if (crv !== 'Ed25519' || x === undefined) throw new TypeError('not an Ed25519 key')
  return x
}

/** @throws TypeError where the text is not the base64url of 32 bytes */
export function publicKeyFromRaw(raw: string): KeyObject {
  if (exactBytes(raw, KEY_BYTES) === null) throw new TypeError('not a raw Ed25519 public key')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' })
}

/** The agent's answer to a challenge, base64url. */
export function signProof(privateKey: KeyObject, said: Proof): string {
  return Buffer.from(sign(null, proofBytes(said), privateKey)).toString('base64url')
}

/** Server side. Never throws: what cannot be read proves nothing. */
export function verifyProof(nodePublicKey: string, said: Proof, signature: string): boolean {
  return verifies(nodePublicKey, proofBytes(said), signature)
}

/** The server's word that it is the instance the agent joined, base64url. */
export function signChallenge(instance: InstanceSigner, said: Challenge): string {
  return Buffer.from(instance.sign(challengeBytes(said))).toString('base64url')
}

/** Agent side, with the instance's key pinned at the join. Never throws. */
export function verifyChallenge(instanceKey: string, said: Challenge, signature: string): boolean {
  return verifies(instanceKey, challengeBytes(said), signature)
}

export function signUpgrade(instance: InstanceSigner, upgrade: Upgrade): string {
  return Buffer.from(instance.sign(upgradeBytes(upgrade))).toString('base64url')
}

/** Agent side: only the pinned instance may hand the node a program. Never throws. */
export function verifyUpgrade(instanceKey: string, upgrade: Upgrade & { readonly signature: string }): boolean {
  return verifies(instanceKey, upgradeBytes(upgrade), upgrade.signature)
}

function nodeKeyOf(privateKey: KeyObject): NodeKey {
  return {
    publicKey: rawPublicKey(createPublicKey(privateKey)),
    privateKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function verifies(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  const signed = exactBytes(signature, SIGNATURE_BYTES)
  if (signed === null || exactBytes(publicKey, KEY_BYTES) === null) return false
  try {
    return verify(null, bytes, publicKeyFromRaw(publicKey), signed)
  } catch {
    // 32 bytes that are no point of the curve.
    return false
  }
}

/** Base64url in its one canonical form only: a decoder that forgives would take several texts for one signature. */
function exactBytes(text: string, length: number): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === length && bytes.toString('base64url') === text ? bytes : null
}
