import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { z } from 'zod'

/** What of a channel nobody may read: its address, whose token lets anybody write to the group, and its secret. */
const target = z.object({ url: z.string(), secret: z.string().nullable() })
export type Target = z.infer<typeof target>

export interface Sealer {
  seal(channelId: string, target: Target): Buffer
  /** @throws Error where the row was changed, belongs to another channel, or was sealed by another instance. */
  open(channelId: string, sealed: Uint8Array): Target
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM under a key derived (HKDF-SHA256) from the instance's secret; the channel's id is authenticated. */
export function createSealer(instanceSecret: Uint8Array): Sealer {
  if (instanceSecret.byteLength < 32) throw new Error('the secret that alert channels are sealed with is too short')
  const key = Buffer.from(hkdfSync('sha256', instanceSecret, '', 'medley/alerting/channel/v1', 32))
  return {
    seal(channelId, given) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(channelId))
      const text = Buffer.concat([cipher.update(JSON.stringify(target.parse(given)), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), text])
    },
    open(channelId, sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(channelId))
        .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
      return target.parse(JSON.parse(text.toString('utf8')))
    },
  }
}
