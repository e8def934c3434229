/**
 * Sentences for the codes that the API hands out in place of sentences. A code that is not here is shown as it is,
 * with its parameters: an ugly line is better than a missing reason.
 */
import { useCallback } from 'react'
import type { Coded } from '../shared/api/types.ts'
import { useLocale } from './locale.tsx'
import type { Locale } from './locales.ts'
import { defineMessages, fill, type Message } from './messages.ts'

const sentences: Readonly<Record<string, Message>> = defineMessages({
  // Why a score is what it is.
  quick_suite_only: {
    en: 'From the quick suite only: a partial score',
    'zh-CN': '只跑了快速套件，是部分得分',
  },
  full_suites_not_run: {
    en: 'The overall fitness needs the full suites; only the quick one has run',
    'zh-CN': '综合适配度要等完整套件跑完才有，目前只跑了快速套件',
  },
  no_record: { en: 'This chip has not been proved yet', 'zh-CN': '这颗芯片还没有测评过' },
  not_proved: { en: 'This chip has not been proved yet', 'zh-CN': '这颗芯片还没有测评过' },
  steal_over_limit: {
    en: 'Too noisy: the host took {value} of the processor time (limit {limit})',
    'zh-CN': '干扰太大：宿主机占走了 {value} 的处理器时间（上限 {limit}）',
  },
  foreign_cpu_over_limit: {
    en: 'Too noisy: other programs used {value} of the processors (limit {limit})',
    'zh-CN': '干扰太大：其他程序占用了 {value} 的处理器（上限 {limit}）',
  },
  load_over_limit: {
    en: 'Too noisy: load per processor was {value} (limit {limit})',
    'zh-CN': '干扰太大：每个处理器的负载为 {value}（上限 {limit}）',
  },
  variation_over_limit: {
    en: 'Too noisy: repeats of {case} differ by {value} (limit {limit})',
    'zh-CN': '干扰太大：用例 {case} 各次重复相差 {value}（上限 {limit}）',
  },
  probe_too_slow: {
    en: 'Void: {case} ran at {eta} of the probed peak (limit {limit}), so the probe was too slow',
    'zh-CN': '作废：用例 {case} 达到探测峰值的 {eta} 倍（上限 {limit}），说明探测值偏低',
  },
  probe_threads_differ: {
    en: 'Void: the probe used {probe} threads, the cases {cases}',
    'zh-CN': '作废：探测用了 {probe} 个线程，用例用了 {cases} 个',
  },
  golden_unchecked: {
    en: 'Void: the model’s answer was not checked before measuring',
    'zh-CN': '作废：测评前没有校验模型的回答',
  },
  model_cost_unknown: {
    en: 'Void: the cost of the model in {case} is not known',
    'zh-CN': '作废：不知道用例 {case} 中模型的计算量',
  },
  // Why a chip is not healthy.
  'tool-missing': {
    en: 'On the bus, but the vendor tool {tool} was not found: install the driver',
    'zh-CN': '总线上能看到，但找不到厂商工具 {tool}：请安装驱动',
  },
  'tool-timeout': { en: '{tool} did not answer in time', 'zh-CN': '{tool} 在限定时间内没有响应' },
  'tool-too-large': { en: '{tool} printed more than can be read', 'zh-CN': '{tool} 的输出超出可读取的大小' },
  'tool-failed': { en: '{tool} failed: {message}', 'zh-CN': '{tool} 执行失败：{message}' },
  'not-listed': { en: 'On the bus, but {tool} does not list it', 'zh-CN': '总线上能看到，但 {tool} 没有列出它' },
  'bound-elsewhere': {
    en: 'Bound to the kernel driver {driver}, so it cannot be used from here',
    'zh-CN': '已绑定到内核驱动 {driver}，此处无法使用',
  },
  'ecc-uncorrected': { en: '{count} uncorrected memory errors', 'zh-CN': '发生 {count} 次不可纠正的显存错误' },
  'link-narrow': {
    en: 'The PCIe link has {current} lanes of {maximum} possible',
    'zh-CN': 'PCIe 链路宽度为 {current}，最大可达 {maximum}',
  },
  // Why a workload failed.
  'engine.golden.mismatch': {
    en: 'The model answered its check question wrongly: {answer}. Template or model file is probably not the right one.',
    'zh-CN': '模型没有答对校验问题，它的回答是：{answer}。多半是模板或模型文件不对。',
  },
  'engine.model.unreadable': {
    en: 'The model file {path} could not be loaded. Check that it is there, is GGUF, and fits into free memory.',
    'zh-CN': '模型文件 {path} 无法加载。请确认文件存在、格式为 GGUF，并且空闲内存放得下。',
  },
  'engine.context.failed': {
    en: 'No memory for {slots} slots of {tokens} tokens: lower the number of slots or their context.',
    'zh-CN': '内存放不下 {slots} 个各 {tokens} 词元的槽位：请减少槽位数或缩短上下文。',
  },
  'engine.binary.missing': {
    en: 'No engine binary works on this machine: install the package of this platform.',
    'zh-CN': '这台机器上没有可用的引擎程序：请安装对应平台的包。',
  },
  'proving.failed': { en: 'The proving run failed', 'zh-CN': '测评没有完成' },
  'proving.deadline.exceeded': { en: 'The proving run took too long and was stopped', 'zh-CN': '测评超时，已停止' },
  'proving.run.cancelled': { en: 'The proving run was cancelled', 'zh-CN': '测评已取消' },
  'registry.model.unobtainable': {
    en: 'No source could deliver the model. Put the file where `medley doctor` says, or connect one of the sources.',
    'zh-CN': '所有来源都取不到模型。请按 `medley doctor` 的提示放置文件，或连通任意一个来源。',
  },
  'registry.model.damaged': {
    en: 'The model file does not match its checksum and was not used.',
    'zh-CN': '模型文件与校验和不符，没有使用。',
  },
})

/** The sentence of a code; parameters that are ratios between 0 and 1 were rounded by whoever measured them. */
function sentenceOf(coded: Coded, locale: Locale): string {
  const entry = sentences[coded.code]
  if (entry !== undefined) return fill(entry[locale], rounded(coded.params))
  const params = Object.entries(coded.params).map(([name, value]) => `${name}=${value}`)
  return params.length === 0 ? coded.code : `${coded.code} (${params.join(', ')})`
}

/** Long fractions come as the machine wrote them; three significant digits are what a reader can use. */
function rounded(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      /^-?\d+\.\d{3,}$/.test(value) ? String(Number(Number(value).toPrecision(3))) : value,
    ]),
  )
}

export function useCoded(): (coded: Coded) => string {
  const { locale } = useLocale()
  return useCallback((coded: Coded) => sentenceOf(coded, locale), [locale])
}
