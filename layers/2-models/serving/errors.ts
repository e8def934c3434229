import { defineErrors } from '@medley/kernel'

export const servingErrors = defineErrors('serving', {
  'deployment.unknown': {
    status: 404,
    title: { en: 'There is no deployment {id}', 'zh-CN': '没有这个部署：{id}' },
    hint: { en: 'List the deployments with `medley deployments`', 'zh-CN': '用 `medley deployments` 查看全部部署' },
  },
  'revision.unknown': {
    status: 404,
    title: { en: 'There is no revision {id}', 'zh-CN': '没有这个版本：{id}' },
    hint: {
      en: 'Take the revision from `medley usage events --json` or from the deployment',
      'zh-CN': '请从 `medley usage events --json` 或部署详情中取得版本编号',
    },
  },
})
