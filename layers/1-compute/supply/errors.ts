import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('supply', {
  'cursor.invalid': {
    status: 400,
    title: { en: 'This is not a cursor of this list', 'zh-CN': '这不是本列表的分页游标' },
    hint: {
      en: 'Take `nextCursor` of the page before as it is, or leave the cursor out to begin anew.',
      'zh-CN': '请原样使用上一页返回的 `nextCursor`；去掉游标则从头开始。',
    },
  },
})
