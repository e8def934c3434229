import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('audit', {
  'cursor.invalid': {
    status: 400,
    title: { en: 'This page of the audit does not exist', 'zh-CN': '审计记录中没有这一页' },
    hint: {
      en: 'Pass `nextCursor` of the page before unchanged, or leave `cursor` out to start at the newest entry.',
      'zh-CN': '请原样传回上一页的 `nextCursor`；不传 `cursor` 则从最新一条开始。',
    },
  },
})
