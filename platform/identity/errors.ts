import { defineErrors } from '@medley/kernel'

export const identityErrors = defineErrors('identity', {
  'instance.damaged': {
    status: 500,
    title: { en: 'The instance folder is damaged', 'zh-CN': '实例目录已损坏' },
    hint: {
      en: 'Restore {directory} from a backup. Without it API keys and signatures of this instance are void.',
      'zh-CN': '请从备份恢复 {directory}。缺少它，本实例的 API 密钥和签名都会失效。',
    },
  },
  'key.not_found': {
    status: 404,
    title: { en: 'No such API key', 'zh-CN': '没有这个 API 密钥' },
    hint: {
      en: 'List the keys with `medley keys list`; {id} is not among those of your tenant.',
      'zh-CN': '用 `medley keys list` 查看密钥；您的租户下没有 {id}。',
    },
  },
  'key.project_missing': {
    status: 400,
    title: { en: 'A key belongs to a project', 'zh-CN': '密钥必须属于某个项目' },
    hint: { en: 'Choose a project first.', 'zh-CN': '请先选择一个项目。' },
  },
  'key.invalid': {
    status: 400,
    title: { en: 'This key cannot be made', 'zh-CN': '无法创建该密钥' },
    hint: {
      en: 'A key needs a name of 1 to 100 characters, at least one scope and an expiry in the future, if any.',
      'zh-CN': '密钥需要 1 到 100 个字符的名称、至少一个权限范围；如设置到期时间，须晚于当前时间。',
    },
  },
  'user.exists': {
    status: 409,
    title: { en: 'This e-mail address is taken', 'zh-CN': '该邮箱已被使用' },
    hint: { en: 'Sign in with it, or use another one.', 'zh-CN': '请直接用它登录，或换一个邮箱。' },
  },
  'user.not_found': {
    status: 404,
    title: { en: 'No such user', 'zh-CN': '没有这个用户' },
    hint: { en: 'Check the id {id}.', 'zh-CN': '请检查用户编号 {id}。' },
  },
})
