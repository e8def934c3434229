import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('alerting', {
  'rule.unknown': {
    status: 404,
    title: { en: 'There is no alert rule {id}', 'zh-CN': '没有告警规则 {id}' },
    hint: { en: 'List the rules to see which there are.', 'zh-CN': '请先查看规则列表，确认规则编号。' },
  },
  'rule.built-in': {
    status: 409,
    title: { en: 'A built-in rule cannot be changed in this way', 'zh-CN': '内置规则不支持这样修改' },
    hint: {
      en: 'Disable it, or change its threshold, duration or channels. For anything else make a rule of your own.',
      'zh-CN': '内置规则可以停用，也可以调整阈值、持续时间和通知渠道；其他需求请新建自定义规则。',
    },
  },
  'rule.invalid': {
    status: 422,
    title: { en: 'This alert rule cannot be evaluated', 'zh-CN': '这条告警规则无法执行' },
    hint: {
      en: 'See which field is named; metric names are those of `GET /api/v1/metrics`.',
      'zh-CN': '请按提示修改对应字段；指标名称以 `GET /api/v1/metrics` 返回的为准。',
    },
  },
  'channel.unknown': {
    status: 404,
    title: { en: 'There is no alert channel {id}', 'zh-CN': '没有通知渠道 {id}' },
    hint: {
      en: 'List the channels; it may have been deleted.',
      'zh-CN': '请查看通知渠道列表，该渠道可能已被删除。',
    },
  },
  'channel.invalid': {
    status: 422,
    title: { en: 'This alert channel cannot be used', 'zh-CN': '这个通知渠道无法使用' },
    hint: {
      en: 'Give an http or https address without a user name in it, and a secret only where the kind signs.',
      'zh-CN': '地址须为 http 或 https，且不能带用户名和密码；只有支持签名的渠道才填写密钥。',
    },
  },
  'alert.unknown': {
    status: 404,
    title: { en: 'There is no alert {id}', 'zh-CN': '没有告警 {id}' },
    hint: {
      en: 'It may have been dropped after its keeping time; list the alerts.',
      'zh-CN': '该告警可能已超过保留期被清理，请查看告警列表。',
    },
  },
  'cursor.invalid': {
    status: 400,
    title: { en: 'This is not a cursor of this list', 'zh-CN': '这不是本列表的分页游标' },
    hint: {
      en: 'Take `nextCursor` of the page before as it is, or leave the cursor out to begin anew.',
      'zh-CN': '请原样使用上一页返回的 `nextCursor`；去掉游标则从头开始。',
    },
  },
})
