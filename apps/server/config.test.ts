import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { publicUrlOf, readServerConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'medley-config-'))
const file = join(folder, 'server.json')
writeFileSync(
  file,
  JSON.stringify({
    version: '0',
    listen: { host: '127.0.0.1', port: 7070 },
    consoleUrl: 'http://127.0.0.1:7070',
    gatewayUrl: 'http://127.0.0.1:7071',
    dataDirectory: '/data',
    consoleDirectory: '/console',
    store: { kind: 'external' },
    starter: { model: null, file: null },
  }),
)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const urlWith = (url?: string) =>
  publicUrlOf(
    readServerConfig({ MEDLEY_SERVER_CONFIG: file, ...(url === undefined ? {} : { MEDLEY_PUBLIC_URL: url }) }),
  )

describe('the address people open', () => {
  it('is where the server listens, unless another is given', () => {
    expect(urlWith()).toBe('http://127.0.0.1:7070')
    expect(urlWith('')).toBe('http://127.0.0.1:7070')
    expect(urlWith('https://factory.example/')).toBe('https://factory.example')
  })

  it('is one a browser can open', () => {
    for (const wrong of ['factory.example', 'ftp://factory.example']) expect(() => urlWith(wrong)).toThrow('publicUrl')
  })
})

describe('the zone in which alerts tell the time', () => {
  const zoneWith = (zone: string) =>
    readServerConfig({ MEDLEY_SERVER_CONFIG: file, MEDLEY_TIME_ZONE: zone }).alerts?.timeZone

  it('is one that exists, or left out', () => {
    expect(zoneWith('Asia/Shanghai')).toBe('Asia/Shanghai')
    expect(zoneWith('')).toBeUndefined()
    expect(() => zoneWith('Asia/Nowhere')).toThrow('no such time zone')
  })
})
