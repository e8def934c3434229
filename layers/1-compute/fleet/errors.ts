import { defineErrors } from '@medley/kernel'

export const fleetErrors = defineErrors('fleet', {
  'chip.unknown': {
    status: 404,
    title: { en: 'There is no chip {id}', 'zh-CN': '没有这颗芯片：{id}' },
    hint: { en: 'List the chips with `medley chips`', 'zh-CN': '用 `medley chips` 查看全部芯片' },
  },
})
