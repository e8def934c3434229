import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('registry', {
  'model.unobtainable': {
    status: 503,
    title: {
      en: 'The model {model} could not be obtained from any source',
      'zh-CN': '所有来源都没能取到模型 {model}',
    },
    hint: {
      en: 'Put the file {file} ({bytes} bytes, SHA-256 {sha256}) into {directory} and start again, or name it by MEDLEY_STARTER_MODEL.',
      'zh-CN':
        '请把文件 {file}（{bytes} 字节，SHA-256 为 {sha256}）放进 {directory} 后重新启动，或用 MEDLEY_STARTER_MODEL 指明它的位置。',
    },
  },
  'model.not_found': {
    status: 404,
    title: { en: 'There is no model {model}', 'zh-CN': '没有名为 {model} 的模型' },
    hint: { en: 'List the models with `medley models`.', 'zh-CN': '用 `medley models` 查看现有的模型。' },
  },
  'sources.invalid': {
    status: 400,
    title: { en: 'Unknown model source in "{value}"', 'zh-CN': '“{value}”里有不认识的模型来源' },
    hint: {
      en: 'MEDLEY_MODEL_SOURCES takes, in the order to try and parted by commas: {known}.',
      'zh-CN': 'MEDLEY_MODEL_SOURCES 按尝试顺序填写，用逗号分隔，可选：{known}。',
    },
  },
})
