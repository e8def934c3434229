import { defineErrors } from '@medley/kernel'

export const storeErrors = defineErrors('store', {
  unavailable: {
    status: 503,
    title: { en: 'The database does not answer', 'zh-CN': '数据库没有响应' },
    hint: {
      en: 'It is usually back within seconds. If not, look at the log of the process named postgres.',
      'zh-CN': '通常几秒内即可恢复；若持续如此，请查看 postgres 进程的日志。',
    },
  },
  newer_than_program: {
    status: 500,
    title: { en: 'The database is newer than this program', 'zh-CN': '数据库版本比程序新' },
    hint: {
      en: 'Start the version of Medley that wrote it, or a newer one. Unknown here: {migrations}.',
      'zh-CN': '请使用写入该数据库的 Medley 版本或更新的版本启动。本程序不认识的迁移：{migrations}。',
    },
  },
  migration_failed: {
    status: 500,
    title: { en: 'Migration {migration} failed', 'zh-CN': '数据库迁移 {migration} 失败' },
    hint: {
      en: 'Nothing of it was applied. The cause stands in the log; please report it.',
      'zh-CN': '该迁移没有留下任何改动。原因见日志，请反馈给我们。',
    },
  },
  platform_unsupported: {
    status: 500,
    title: {
      en: 'No embedded PostgreSQL for {platform}',
      'zh-CN': '没有适用于 {platform} 的内置 PostgreSQL',
    },
    hint: {
      en: 'Run `npm ci` with optional packages, or set DATABASE_URL to a PostgreSQL 15 or newer.',
      'zh-CN': '请在安装时保留可选依赖（npm ci），或将 DATABASE_URL 指向 PostgreSQL 15 及以上版本。',
    },
  },
  in_use: {
    status: 409,
    title: { en: 'The database directory is in use', 'zh-CN': '数据库目录正被使用' },
    hint: {
      en: 'Process {pid} runs the database in {directory}. Stop it first.',
      'zh-CN': '进程 {pid} 正在使用 {directory} 中的数据库，请先停止该进程。',
    },
  },
  no_unprivileged_user: {
    status: 500,
    title: { en: 'No ordinary user to run the database as', 'zh-CN': '没有可用于运行数据库的普通用户' },
    hint: {
      en: 'PostgreSQL refuses to run as root. Add a user named postgres or nobody, or start Medley as an ordinary user.',
      'zh-CN': 'PostgreSQL 拒绝以 root 身份运行。请添加名为 postgres 或 nobody 的用户，或以普通用户启动 Medley。',
    },
  },
  start_failed: {
    status: 500,
    title: { en: 'The embedded database did not start', 'zh-CN': '内置数据库未能启动' },
    hint: {
      en: 'Its last words: {reason}',
      'zh-CN': '其最后的输出：{reason}',
    },
  },
})
