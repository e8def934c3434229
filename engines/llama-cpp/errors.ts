import { defineErrors } from '@medley/kernel'

/** What can go wrong before an engine is ready. Errors of single requests have OpenAI's shape, see `adapters/http`. */
export const errors = defineErrors('engine', {
  'spec.invalid': {
    status: 500,
    title: { en: 'The engine was started with an unreadable specification', 'zh-CN': '引擎启动时拿到的规格无法读取' },
    hint: {
      en: 'Deploy the model again; the detail names the field.',
      'zh-CN': '请重新部署该模型；详情中写明了出错的字段。',
    },
  },
  'socket.path-too-long': {
    status: 500,
    title: {
      en: 'The socket path {path} is longer than {limit} bytes',
      'zh-CN': '套接字路径 {path} 超过 {limit} 字节',
    },
    hint: {
      en: 'The operating system limits socket paths: choose a data directory with a shorter path.',
      'zh-CN': '操作系统限制了套接字路径的长度：请选用路径更短的数据目录。',
    },
  },
  'socket.taken': {
    status: 409,
    title: { en: 'Another process answers on {path}', 'zh-CN': '已有进程在 {path} 上应答' },
    hint: { en: 'End the older engine process first.', 'zh-CN': '请先结束旧的引擎进程。' },
  },
  'binary.missing': {
    status: 500,
    title: { en: 'No llama.cpp binary works on this machine', 'zh-CN': '这台机器上没有可用的 llama.cpp 程序' },
    hint: {
      en: 'Install the package of this platform: npm install @node-llama-cpp/{platform}',
      'zh-CN': '请安装对应平台的包：npm install @node-llama-cpp/{platform}',
    },
  },
  'model.unreadable': {
    status: 500,
    title: { en: 'The model file {path} could not be loaded', 'zh-CN': '模型文件 {path} 无法加载' },
    hint: {
      en: 'Check that the file is there, is GGUF, and fits into the memory that is free.',
      'zh-CN': '请确认文件存在、格式为 GGUF，并且空闲内存放得下。',
    },
  },
  'context.beyond-training': {
    status: 400,
    title: {
      en: '{asked} tokens of context are more than the {trained} the model was trained on',
      'zh-CN': '上下文 {asked} 个词元，超过模型训练时的 {trained} 个',
    },
    hint: { en: 'Lower contextTokens to {trained}.', 'zh-CN': '请把 contextTokens 降到 {trained}。' },
  },
  'context.failed': {
    status: 500,
    title: {
      en: 'No memory for {slots} slots of {tokens} tokens',
      'zh-CN': '内存放不下 {slots} 个各 {tokens} 词元的槽位',
    },
    hint: { en: 'Lower the number of slots or their context.', 'zh-CN': '请减少槽位数或缩短上下文。' },
  },
  'template.invalid': {
    status: 400,
    title: { en: 'The chat template {name} does not work', 'zh-CN': '对话模板 {name} 不可用' },
    hint: { en: 'The detail is the message of the template engine.', 'zh-CN': '详情是模板引擎给出的原始信息。' },
  },
  'golden.mismatch': {
    status: 409,
    title: {
      en: 'The model answered its check question wrongly: {answer}',
      'zh-CN': '模型没有答对校验问题，它的回答是：{answer}',
    },
    hint: {
      en: 'Expected an answer that contains "{expected}". The template or the model file is probably not the right one.',
      'zh-CN': '正确的回答应包含“{expected}”。多半是模板或模型文件不对。',
    },
  },
})
