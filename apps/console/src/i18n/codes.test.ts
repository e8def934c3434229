import { describe, expect, it } from 'vitest'
import { sentenceOf } from './codes.ts'

// That every code has a sentence is tested in tests/house/codes.test.ts, which sees the modules that hand them out.
describe('sentence of a code', () => {
  it('says exactly which file to put where', () => {
    const params = { model: 'm', file: 'm.gguf', bytes: '98362432', sha256: 'abc', directory: '/data/incoming' }
    for (const locale of ['en', 'zh-CN'] as const) {
      const sentence = sentenceOf({ code: 'registry.model.unobtainable', params }, locale)
      for (const value of Object.values(params)) expect(sentence).toContain(value)
    }
  })

  it('gives the reason inside a failed step', () => {
    const inner = { code: 'agent.engine.hang', params: { seconds: '20' } }
    const run = { code: 'server.proving.failed', params: { detail: JSON.stringify(inner) } }
    const deployment = {
      code: 'server.deployment.failed',
      params: { code: inner.code, detail: JSON.stringify(inner.params) },
    }
    expect(sentenceOf(run, 'en')).toContain('not answered for 20 s')
    expect(sentenceOf(deployment, 'zh-CN')).toBe('模型没能部署成功。推理引擎 20 秒没有响应，正在自动重启。')
  })

  it('shows a share as a percentage', () => {
    const noisy = { code: 'foreign_cpu_over_limit', params: { value: '0.79213', limit: '0.25' } }
    expect(sentenceOf(noisy, 'en')).toContain('79.2% of the processors (limit 25%)')
  })

  it('names states and metrics in the reader’s words', () => {
    expect(sentenceOf({ code: 'alerting.chip.state', params: { state: 'no-driver' } }, 'zh-CN')).toBe(
      '芯片状态为“缺驱动”',
    )
    const heat = { metric: 'temperatureCelsius', value: '93.41234', threshold: '90' }
    expect(sentenceOf({ code: 'alerting.metric.above', params: heat }, 'en')).toBe('Temperature (°C) is 93.4, above 90')
  })

  it('shows a code it does not know as it is', () => {
    expect(sentenceOf({ code: 'other.code', params: { a: '1' } }, 'en')).toBe('other.code (a=1)')
  })
})
