import { defineErrors } from '@medley/kernel'

export const monitoringErrors = defineErrors('monitoring', {
  'metric.unknown': {
    status: 400,
    title: { en: 'There is no metric {metric}', 'zh-CN': '没有这个指标：{metric}' },
    hint: {
      en: 'Give `metrics` as names from the list of metrics (`GET /api/v1/metrics`).',
      'zh-CN': '`metrics` 请填写指标列表（`GET /api/v1/metrics`）中的名称。',
    },
  },
  range: {
    status: 400,
    title: { en: 'This period cannot be shown: {reason}', 'zh-CN': '无法按此时间段查询：{reason}' },
    hint: {
      en: 'Give `from` before `to`, at most {days} days apart at this `resolution`, or leave `resolution` out.',
      'zh-CN': '`from` 须早于 `to`；此 `resolution` 下两者最多相隔 {days} 天。也可以不填 `resolution`。',
    },
  },
})
