import { defineErrors } from '@medley/kernel'

export const servingErrors = defineErrors('serving', {
  'deployment.unknown': {
    status: 404,
    title: { en: 'There is no deployment {id}', 'zh-CN': '没有这个部署：{id}' },
    hint: { en: 'List the deployments with `medley deployments`', 'zh-CN': '用 `medley deployments` 查看全部部署' },
  },
})
