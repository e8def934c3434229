import { defineMessages } from '../../i18n/messages.ts'

export const signInMessages = defineMessages({
  title: { en: 'Sign in', 'zh-CN': '登录' },
  lead: {
    en: 'Open the one-time link that the terminal printed when the factory started, or use your e-mail and password.',
    'zh-CN': '打开工厂启动时终端里打印的一次性链接，或者用邮箱和密码登录。',
  },
  email: { en: 'E-mail', 'zh-CN': '邮箱' },
  password: { en: 'Password', 'zh-CN': '密码' },
  submit: { en: 'Sign in', 'zh-CN': '登录' },
  verifying: { en: 'Signing you in with the one-time link', 'zh-CN': '正在用一次性链接登录' },
  linkSpent: { en: 'This sign-in link no longer works', 'zh-CN': '这个登录链接已失效' },
  linkSpentWhy: {
    en: 'A link works once and for a short time; this one was already used or has expired.',
    'zh-CN': '链接只能用一次，且有效期很短；它已被用过或已过期。',
  },
  linkNew: { en: 'For a new one, run on the machine:', 'zh-CN': '在机器上运行下面的命令，取一个新链接：' },
  linkCommand: { en: 'Command for a new link', 'zh-CN': '取新链接的命令' },
  noLink: { en: 'Lost the link?', 'zh-CN': '链接找不到了？' },
  wrong: { en: 'E-mail or password is wrong', 'zh-CN': '邮箱或密码不对' },
  wrongHint: {
    en: 'Check both and try again. Without a password yet, use a one-time link.',
    'zh-CN': '请检查后重试；还没有设密码的话，请用一次性链接。',
  },
})
