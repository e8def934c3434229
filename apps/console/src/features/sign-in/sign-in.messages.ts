import { defineMessages } from '../../i18n/messages.ts'

export const signInMessages = defineMessages({
  title: { en: 'Sign in', 'zh-CN': '登录' },
  lead: {
    en: 'Open the one-time link that the terminal printed when the factory started.',
    'zh-CN': '打开工厂启动时终端里打印的一次性链接。',
  },
  linkLost: {
    en: 'No link at hand, or it no longer works? On the machine that runs the factory, get a new one:',
    'zh-CN': '链接不在手边，或已失效？在运行工厂的机器上取一个新的：',
  },
  linkRules: { en: 'A link works once and for a short time.', 'zh-CN': '链接只能用一次，有效期很短。' },
  verifying: { en: 'Signing you in with the one-time link', 'zh-CN': '正在用一次性链接登录' },
  linkSpent: { en: 'This sign-in link no longer works', 'zh-CN': '这个登录链接已失效' },
  linkSpentWhy: {
    en: 'A link works once and for a short time; this one was already used or has expired.',
    'zh-CN': '链接只能用一次，且有效期很短；它已被用过或已过期。',
  },
  linkNew: { en: 'For a new one, run on the machine:', 'zh-CN': '在机器上运行下面的命令，取一个新链接：' },
  linkCommand: { en: 'Command for a new link', 'zh-CN': '取新链接的命令' },
})
