import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  generateNodeKey,
  newNonce,
  nodeKeyFromPem,
  publicKeyFromRaw,
  rawPublicKey,
  signChallenge,
  signProof,
  signUpgrade,
  verifyChallenge,
  verifyProof,
  verifyUpgrade,
} from './index.ts'
import { joinRequest } from './protocol.ts'

const node = generateNodeKey()
const pair = generateKeyPairSync('ed25519')
const instance = { sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, pair.privateKey)) }
const instanceKey = rawPublicKey(pair.publicKey)

const nonce = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
const name = fc.stringMatching(/^[a-z0-9_-]{1,40}$/)
const proof = fc.record({ nodeId: name, instanceId: name, agentNonce: nonce, serverNonce: nonce })

/** The text of the same bytes with one bit changed. */
function flipped(text: string, place: number): string {
  const bytes = Buffer.from(text, 'base64url')
  const at = place % (bytes.length * 8)
  bytes.writeUInt8(bytes.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3)
  return bytes.toString('base64url')
}

describe('keys', () => {
  it('go to raw text and PEM and back', () => {
    expect(joinRequest.shape.publicKey.safeParse(node.publicKey).success).toBe(true)
    expect(rawPublicKey(publicKeyFromRaw(node.publicKey))).toBe(node.publicKey)
    expect(rawPublicKey(node.privateKeyPem)).toBe(node.publicKey)
    expect(nodeKeyFromPem(node.privateKeyPem).publicKey).toBe(node.publicKey)
    expect(rawPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString())).toBe(instanceKey)
  })

  it('of another kind are refused', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(() => rawPublicKey(other.publicKey)).toThrow(TypeError)
    for (const raw of ['', 'AAAA', `${node.publicKey}=`, `${node.publicKey}A`]) {
      expect(() => publicKeyFromRaw(raw)).toThrow(TypeError)
    }
  })

  it('and nonces differ each time', () => {
    expect(new Set(Array.from({ length: 50 }, newNonce)).size).toBe(50)
    expect(generateNodeKey().publicKey).not.toBe(node.publicKey)
  })
})

describe('a proof', () => {
  it('verifies for what was said, with a key read back from its file', () => {
    fc.assert(
      fc.property(proof, (said) => {
        const signature = signProof(nodeKeyFromPem(node.privateKeyPem).privateKey, said)
        expect(verifyProof(node.publicKey, said, signature)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('never verifies for another node, instance or nonce, nor by another key', () => {
    const other = generateNodeKey()
    fc.assert(
      fc.property(proof, proof, (said, heard) => {
        fc.pre(JSON.stringify(said) !== JSON.stringify(heard))
        const signature = signProof(node.privateKey, said)
        expect(verifyProof(node.publicKey, heard, signature)).toBe(false)
        for (const [field, value] of Object.entries(heard)) {
          const mixed = { ...said, [field]: value }
          const same = JSON.stringify(mixed) === JSON.stringify(said)
          expect(verifyProof(node.publicKey, mixed, signature)).toBe(same)
        }
        expect(verifyProof(other.publicKey, said, signature)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  it('fails with any bit flipped in the signature or the key', () => {
    fc.assert(
      fc.property(proof, fc.nat(), (said, place) => {
        const signature = signProof(node.privateKey, said)
        expect(verifyProof(node.publicKey, said, flipped(signature, place))).toBe(false)
        expect(verifyProof(flipped(node.publicKey, place), said, signature)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('has one text only, and no text makes the check throw', () => {
    const said = { nodeId: 'n', instanceId: 'i', agentNonce: 'a', serverNonce: 's' }
    const signature = signProof(node.privateKey, said)
    fc.assert(
      fc.property(fc.nat({ max: signature.length - 1 }), fc.constantFrom(...'AQgwBRhx-_= '), (at, character) => {
        const changed = signature.slice(0, at) + character + signature.slice(at + 1)
        expect(verifyProof(node.publicKey, said, changed)).toBe(changed === signature)
      }),
      { numRuns: 200 },
    )
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, text) => {
        expect(verifyProof(key, said, text)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

describe('the instance', () => {
  it('answers a nonce, and its answer serves for nothing else', () => {
    fc.assert(
      fc.property(proof, proof, fc.nat(), (said, heard, place) => {
        const signature = signChallenge(instance, said)
        expect(verifyChallenge(instanceKey, said, signature)).toBe(true)
        expect(verifyChallenge(instanceKey, said, flipped(signature, place))).toBe(false)
        expect(verifyChallenge(node.publicKey, said, signature)).toBe(false)
        expect(verifyProof(instanceKey, said, signature)).toBe(false)
        const same = ['instanceId', 'agentNonce', 'serverNonce'] as const
        expect(verifyChallenge(instanceKey, heard, signature)).toBe(same.every((key) => said[key] === heard[key]))
      }),
      { numRuns: 50 },
    )
  })

  it('vouches for one program of one version', () => {
    const upgrade = { version: '1.2.3', sha256: 'ab'.repeat(32) }
    const signature = signUpgrade(instance, upgrade)
    expect(verifyUpgrade(instanceKey, { ...upgrade, signature })).toBe(true)
    expect(verifyUpgrade(instanceKey, { ...upgrade, version: '1.2.4', signature })).toBe(false)
    expect(verifyUpgrade(instanceKey, { ...upgrade, sha256: 'ac'.repeat(32), signature })).toBe(false)
    expect(verifyUpgrade(node.publicKey, { ...upgrade, signature })).toBe(false)
    expect(verifyUpgrade(instanceKey, { ...upgrade, signature: flipped(signature, 77) })).toBe(false)
  })
})
