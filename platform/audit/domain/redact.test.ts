import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED, redact, safeText } from './redact.ts'

const SECRET = 'hunter2-hunter2'

describe('redact', () => {
  it.each([
    'key',
    'apiKey',
    'api_key',
    'APIKEY',
    'X-Api-Key',
    'joinToken',
    'token',
    'accessTokens',
    'clientSecret',
    'secret_ref',
    'password',
    'newPassword',
    'Authorization',
    'proxyAuthorization',
    'cookie',
    'setCookie',
    'privateKeyPem',
    'webhook',
    'webhookUrl',
    'url',
  ])('takes out %s', (name) => {
    expect(JSON.stringify(redact({ [name]: SECRET }))).not.toContain(SECRET)
    expect(JSON.stringify(redact({ before: [{ deep: { [name]: [SECRET, { x: SECRET }] } }] }))).not.toContain(
      `${name}":["${SECRET}`,
    )
  })

  it('keeps ids, fingerprints, counts and what was not known', () => {
    const plain = {
      tokenId: 'jointoken_1',
      keyFingerprint: 'ab12',
      publicKey: 'AAAA',
      promptTokens: 12,
      token: null,
      hasPassword: true,
      monkey: 'a',
      reason: 'spent',
      usesLeft: 0,
      at: new Date(0),
    }
    expect(redact(plain)).toEqual({ ...plain, at: '1970-01-01T00:00:00.000Z' })
    expect(redact({ password: 1234 })).toEqual({ password: REDACTED })
  })

  it('keeps the host of a webhook and nothing that opens it', () => {
    const url = `https://user:${SECRET}@hooks.example.com:8443/send/${SECRET}?key=${SECRET}#${SECRET}`
    expect(redact({ webhookUrl: url })).toEqual({ webhookUrl: `https://hooks.example.com:8443/${REDACTED}` })
    expect(redact({ urls: [url, 'no address'] })).toEqual({
      urls: [`https://hooks.example.com:8443/${REDACTED}`, REDACTED],
    })
    expect(redact({ said: `sent to ${url}` })).toEqual({
      said: `sent to https://${REDACTED}@hooks.example.com:8443/${REDACTED}?${REDACTED}`,
    })
  })

  it('takes a secret out of the path of any address in a text, and leaves what is only a name', () => {
    const secret = '3f9c1b7e-5d2a-4c86-9e10-7ab45cd09f31'
    for (const [address, kept] of [
      [`https://chat.example.cn/open-apis/bot/v2/hook/${secret}`, 'https://chat.example.cn/open-apis/bot/'],
      [`https://chat.example.com/api/webhooks/12345/${secret}`, 'https://chat.example.com/api/webhooks/'],
      [`https://api.example.org/bot123456:${secret}/sendMessage`, 'https://api.example.org/bot/'],
      [`https://oapi.example.com/robot/send/${secret}`, 'https://oapi.example.com/robot/'],
      [`https://intake.example.com/v1/${secret}/push`, 'https://intake.example.com/v1/'],
    ] as const) {
      expect(safeText(`POST ${address} failed`)).not.toContain(secret)
      expect(safeText(`POST ${address} failed`)).toContain(kept)
    }
    for (const plain of [
      'https://models.example.com/qwen/Qwen2.5-0.5B-Instruct/resolve/main/qwen2.5-0.5b-instruct-q4_k_m.gguf',
      'https://factory.example.com/api/v1/nodes/node_01kbq3v5z8x2m4n6p7r9s1t3w5/cards',
    ])
      expect(safeText(plain)).toBe(plain)
  })

  it('finds secrets by their looks in any text', () => {
    const secret = 'a1B2c3D4e5'.repeat(4)
    for (const text of [
      `mjt_abcdefghij_${secret}xyz`,
      `mk_abcdefghij_${secret}xyz`,
      `Bearer ${secret}`,
      `Authorization: Basic ${secret}==`,
      `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`,
      `-----BEGIN PRIVATE KEY-----\n${secret}`,
      `https://host/x?token=${secret}`,
      `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`,
    ]) {
      expect(safeText(`said ${text} indeed`)).not.toContain(secret)
    }
    for (const plain of ['node-1 joined from 10.0.0.1', 'tokens: 12', 'the token: refused', 'risk-free-deployments'])
      expect(safeText(plain)).toBe(plain)
  })

  it('finds a secret by what is said of it', () => {
    const secret = 'tr0ub4dor'
    for (const text of [
      `password=${secret}`,
      `db_password: ${secret}`,
      `{"password":"${secret}"}`,
      `{"password":"a\\"${secret}"}`,
      `"{\\"password\\":\\"${secret}\\",\\"x\\":1}"`,
      `"{\\"access_token\\":\\"${secret}\\"}"`,
      `password: "${secret}`,
      `postgres failed: user=a pwd='${secret} x' host=b`,
      `client_secret=${secret}&scope=a`,
      `access_token=${secret}`,
      `API_KEY="${secret}"`,
      `密码：${secret}`,
      `令牌=${secret}`,
      `sk-${secret}${secret}`,
      `ghp_${secret}${secret}`,
    ])
      expect(safeText(`it said ${text} and failed`)).not.toContain(secret)
    expect(safeText('password=x, then more')).toBe(`password=${REDACTED}, then more`)
  })

  it('makes of anything plain JSON that PostgreSQL can hold, bounded', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (detail) => {
        const text = JSON.stringify(redact(detail))
        expect(text).not.toContain('\\u0000')
        expect(text.isWellFormed() && !/\\ud[89a-f]/i.test(text.replaceAll('\\\\', ''))).toBe(true)
      }),
      { numRuns: 300 },
    )
    const circle: Record<string, unknown> = { name: 'x'.repeat(100_000) }
    circle.again = [circle, circle, circle]
    expect(JSON.stringify(redact(circle)).length).toBeLessThan(200_000)
    const wide = redact({ many: Array.from({ length: 100_000 }, (_, index) => index) })
    expect(JSON.stringify(wide).length).toBeLessThan(50_000)
  })
})
