import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('quotas', {
  exceeded: {
    status: 429,
    title: {
      en: 'The quota for {resource} of this {level} is used up',
      'zh-CN': '{resource} 配额已用尽（{level}）',
    },
    hint: {
      en: 'Asked for {asked}; limit {limit}, used {used}, reserved {reserved}. Begins anew: {renewal}. Ask for less, wait, or have the limit of {subjectId} raised.',
      'zh-CN':
        '本次申请 {asked}；上限 {limit}，已用 {used}，已预留 {reserved}。重新计量时间：{renewal}。请减少用量、稍后再试，或联系管理员提高 {subjectId} 的上限。',
    },
  },
  'request.differs': {
    status: 409,
    title: { en: 'This request id was used for another reservation', 'zh-CN': '该请求编号已用于另一笔预留' },
    hint: {
      en: 'A repeated request asks for the same by the same people. For anything else take a new request id.',
      'zh-CN': '重复请求时，申请内容与申请人须保持一致；内容有变，请使用新的请求编号。',
    },
  },
  'request.invalid': {
    status: 400,
    title: { en: 'This cannot be reserved', 'zh-CN': '预留请求不符合要求' },
    hint: {
      en: 'Amounts are whole numbers from 0 to 10^17 of known resources, `ttlMs` is 1 ms to 400 days, ids are not empty.',
      'zh-CN': '数量须为 0 到 10^17 的整数，资源须为已知类型，`ttlMs` 为 1 毫秒到 400 天，编号不能为空。',
    },
  },
  'reservation.unknown': {
    status: 404,
    title: { en: 'There is no such reservation', 'zh-CN': '没有这笔预留' },
    hint: {
      en: 'Take the id that `reserve` returned. What has been over for 40 days is forgotten.',
      'zh-CN': '请使用 `reserve` 返回的编号；结束超过 40 天的预留已被清除。',
    },
  },
  'reservation.settled': {
    status: 409,
    title: { en: 'This reservation has been settled', 'zh-CN': '这笔预留已经结算' },
    hint: {
      en: 'What was used cannot be released. Cards, storage and apps are given back instead.',
      'zh-CN': '已经用掉的量无法释放；卡、存储和应用请改用“归还”。',
    },
  },
  'reservation.unsettled': {
    status: 409,
    title: { en: 'This reservation has not been settled', 'zh-CN': '这笔预留尚未结算' },
    hint: {
      en: 'Only what was settled can be given back. To let go of a reservation, release it.',
      'zh-CN': '结算之后才能归还；若不再需要这笔预留，请释放它。',
    },
  },
  'settle.exceeds': {
    status: 409,
    title: { en: 'More was used than reserved', 'zh-CN': '实际用量超过预留' },
    hint: {
      en: 'Reserved {reserved} of {resource}, used {used}. Reserve the most that can be used.',
      'zh-CN': '{resource} 预留 {reserved}，实际使用 {used}。请按可能用到的最大量预留。',
    },
  },
  'settle.differs': {
    status: 409,
    title: { en: 'This reservation was settled with other amounts', 'zh-CN': '这笔预留已按其他数量结算' },
    hint: {
      en: 'A reservation is settled once. The amounts of the first time stand.',
      'zh-CN': '一笔预留只结算一次，以首次结算的数量为准。',
    },
  },
  'quota.invalid': {
    status: 400,
    title: { en: 'This quota cannot be set', 'zh-CN': '无法设置该配额' },
    hint: {
      en: 'See the fields: each says what it expects.',
      'zh-CN': '请查看各字段的说明并更正。',
    },
  },
  'quota.unknown': {
    status: 404,
    title: { en: 'There is no such quota', 'zh-CN': '没有这项配额' },
    hint: { en: 'It may have been removed. List the quotas again.', 'zh-CN': '它可能已被删除，请重新查看配额列表。' },
  },
})
