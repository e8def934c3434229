import { defineErrors } from '@medley/kernel'

export const provingErrors = defineErrors('proving', {
  'deadline.exceeded': {
    status: 504,
    title: { en: 'The proving run took longer than {seconds} s', 'zh-CN': '测评超过 {seconds} 秒仍未完成' },
    hint: {
      en: 'It was stopped at step "{step}" and the chip is free again. Stop other programs and run it once more.',
      'zh-CN': '已在“{step}”阶段中止，芯片已释放。请先停掉机器上的其他程序，再重新测评。',
    },
  },
  'run.cancelled': {
    status: 409,
    title: { en: 'The proving run was cancelled', 'zh-CN': '测评已取消' },
    hint: { en: 'Start it again when it suits.', 'zh-CN': '需要时重新发起即可。' },
  },
  'probe.failed': {
    status: 500,
    title: { en: 'The probe of the machine’s peak rates failed', 'zh-CN': '峰值探测失败' },
    hint: {
      en: 'Look at the detail; `medley doctor` checks what the probe needs.',
      'zh-CN': '请查看详情；`medley doctor` 会检查探测所需的环境。',
    },
  },
  'engine.failed': {
    status: 502,
    title: { en: 'The engine did not deliver a measurement', 'zh-CN': '推理引擎没有给出测量结果' },
    hint: {
      en: 'Case {case} at step "{step}". Look at the engine’s log, then prove the chip again.',
      'zh-CN': '用例 {case}，阶段“{step}”。请查看引擎日志后重新测评。',
    },
  },
  'run.mismatch': {
    status: 409,
    title: { en: 'The result does not belong to this run', 'zh-CN': '测评结果与该次运行不符' },
    hint: {
      en: 'Run {run} was planned with other cases or threads; nothing was stored. Start a new run.',
      'zh-CN': '运行 {run} 计划的用例或线程数与结果不同，未写入任何数据。请重新发起测评。',
    },
  },
  'record.unknown': {
    status: 404,
    title: { en: 'There is no proving record {record}', 'zh-CN': '没有测评记录 {record}' },
    hint: {
      en: 'List the records of the chip to find the one you mean.',
      'zh-CN': '请从该芯片的测评记录列表中查找。',
    },
  },
  'cursor.invalid': {
    status: 400,
    title: { en: 'The page cursor cannot be read', 'zh-CN': '分页游标无法识别' },
    hint: { en: 'Start again without a cursor.', 'zh-CN': '请不带游标，从第一页重新开始。' },
  },
})
