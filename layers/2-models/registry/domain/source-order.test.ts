import { describe, expect, it } from 'vitest'
import { hubUrl, parseSourceOrder, withoutCredentials } from './source-order.ts'

const file = { repo: 'owner/name', revision: 'main', file: 'a b.gguf' }

describe('parseSourceOrder', () => {
  it('keeps the order given, each once, and knows its names', () => {
    expect(parseSourceOrder('huggingface, file,huggingface')).toEqual(['huggingface', 'file'])
    expect(parseSourceOrder('')).toEqual(['file', 'pip', 'modelscope', 'huggingface'])
    expect(parseSourceOrder('file,ftp')).toBeNull()
  })
})

describe('hubUrl', () => {
  it('honours the mirrors that the hubs themselves know', () => {
    const hub = { kind: 'huggingface', ...file } as const
    expect(hubUrl(hub, { HF_ENDPOINT: 'https://mirror.example/hf/' })).toBe(
      'https://mirror.example/hf/owner/name/resolve/main/a%20b.gguf',
    )
    expect(hubUrl({ kind: 'modelscope', ...file }, { MODELSCOPE_DOMAIN: 'ms.example' })).toBe(
      'https://ms.example/models/owner/name/resolve/main/a%20b.gguf',
    )
    expect(new URL(hubUrl(hub, {})).protocol).toBe('https:')
  })
})

describe('withoutCredentials', () => {
  it('takes user and password out of every address', () => {
    expect(withoutCredentials('at https://me:s3cret@index.example/simple and http://x@y')).toBe(
      'at https://index.example/simple and http://y',
    )
  })
})
