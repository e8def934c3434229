import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('money', {
  'book.invalid': {
    status: 400,
    title: { en: 'This price book cannot be published', 'zh-CN': '无法发布该价目表' },
    hint: { en: 'See the fields: each says what it expects.', 'zh-CN': '请查看各字段的说明并更正。' },
  },
  'book.published': {
    status: 409,
    title: { en: 'Version {version} of {name} is published', 'zh-CN': '价目表 {name} 的第 {version} 版已发布' },
    hint: {
      en: 'What is published never changes. Publish a further version.',
      'zh-CN': '已发布的版本不可修改，请发布新版本。',
    },
  },
  'book.unknown': {
    status: 404,
    title: { en: 'There is no price book {name} in {currency}', 'zh-CN': '没有以 {currency} 计价的价目表 {name}' },
    hint: { en: 'Publish its first version, or take another.', 'zh-CN': '请先发布第一版，或选用其他价目表。' },
  },
  'wallet.unknown': {
    status: 404,
    title: { en: 'This tenant has no wallet', 'zh-CN': '该租户尚未开通账户' },
    hint: { en: 'An operator opens it.', 'zh-CN': '请联系运营人员开通。' },
  },
  'wallet.invalid': {
    status: 400,
    title: { en: 'A wallet cannot have these terms', 'zh-CN': '账户条款不符合要求' },
    hint: {
      en: 'Amounts are decimals from 0 in text with at most 6 digits behind the point; the zone is an IANA name.',
      'zh-CN': '金额为不小于 0 的十进制文本，小数不超过 6 位；时区为 IANA 名称。',
    },
  },
  'wallet.open': {
    status: 409,
    title: { en: 'This tenant has a wallet with other terms', 'zh-CN': '该租户已有账户，且条款不同' },
    hint: {
      en: 'Currency, time zone and price book stay. Change the credit line by its terms.',
      'zh-CN': '币种、时区与价目表不可更改；授信额度请通过账户条款调整。',
    },
  },
  'credit.used': {
    status: 409,
    title: { en: 'More of the credit line is in use', 'zh-CN': '授信已用金额高于新额度' },
    hint: {
      en: 'The balance is {balance}. Top up first, or choose a limit that covers it.',
      'zh-CN': '当前余额为 {balance}。请先充值，或设置足以覆盖欠额的授信额度。',
    },
  },
  'amount.invalid': {
    status: 400,
    title: { en: 'This is no amount of money', 'zh-CN': '金额不符合要求' },
    hint: {
      en: 'A decimal above 0 as text, such as 12.50, with at most 6 digits behind the point.',
      'zh-CN': '请以文本填写大于 0 的十进制金额，例如 12.50，小数不超过 6 位。',
    },
  },
  'repeat.differs': {
    status: 409,
    title: { en: '{key} was used for something else', 'zh-CN': '{key} 已用于其他内容' },
    hint: {
      en: 'The same key stands for the same. For anything else take a new one.',
      'zh-CN': '同一标识只对应同一内容；内容有变，请使用新的标识。',
    },
  },
  'hold.unknown': {
    status: 404,
    title: { en: 'There is no such hold', 'zh-CN': '没有这笔冻结' },
    hint: { en: 'Take the id that `hold` returned.', 'zh-CN': '请使用 `hold` 返回的编号。' },
  },
  'hold.captured': {
    status: 409,
    title: { en: 'This hold has been captured', 'zh-CN': '这笔冻结已经扣款' },
    hint: {
      en: 'What was charged is corrected by a correction of its events.',
      'zh-CN': '已扣款项请通过更正对应的计量事件调整。',
    },
  },
  'event.invalid': {
    status: 400,
    title: { en: 'This cannot be metered', 'zh-CN': '计量事件不符合要求' },
    hint: {
      en: 'Quantities are whole numbers from 0 to 10^18 of a known kind; it ends no earlier than it starts.',
      'zh-CN': '数量须为 0 到 10^18 的整数且类型已知；结束时间不得早于开始时间。',
    },
  },
  'event.unknown': {
    status: 404,
    title: { en: 'There is no such event', 'zh-CN': '没有这条计量事件' },
    hint: {
      en: 'Correct the first event, not a correction of it.',
      'zh-CN': '请更正原始事件，而不是它的更正记录。',
    },
  },
  'correction.exceeds': {
    status: 409,
    title: { en: 'More was taken back than there was', 'zh-CN': '冲减数量超过原计量' },
    hint: { en: '{left} is left of it.', 'zh-CN': '目前剩余 {left}。' },
  },
  'share.invalid': {
    status: 400,
    title: { en: 'This revenue share cannot be set', 'zh-CN': '无法设置该分成' },
    hint: {
      en: 'Above 0 with at most 6 digits behind the point, and all shares that may meet add up to 1 at most.',
      'zh-CN': '比例须大于 0，小数不超过 6 位；可能同时生效的分成合计不得超过 1。',
    },
  },
  'budget.invalid': {
    status: 400,
    title: { en: 'This budget cannot be set', 'zh-CN': '无法设置该预算' },
    hint: {
      en: 'An amount above 0, and shares above 0 at which somebody is told, such as 0.8.',
      'zh-CN': '金额须大于 0；提醒比例须大于 0，例如 0.8。',
    },
  },
  'month.invalid': {
    status: 400,
    title: { en: 'This is no month', 'zh-CN': '月份格式不正确' },
    hint: { en: 'Write it as 2026-11.', 'zh-CN': '请按 2026-11 的格式填写。' },
  },
})
