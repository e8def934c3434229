import { fleetCodeSentences } from './fleet-codes.messages.ts'
import type { Message } from './messages.ts'

/**
 * Sentences for codes by themselves; `{name}` is a parameter of the code, `{cause}` the sentence of the code inside,
 * `{name%}` a ratio as a percentage.
 */
export const codeSentences: Readonly<Record<string, Message>> = {
  ...fleetCodeSentences,
  // Why a score is what it is.
  quick_suite_only: { en: 'From the quick suite only: a partial score', 'zh-CN': '只跑了快速套件，是部分得分' },
  full_suites_not_run: {
    en: 'The overall fitness needs the full suites; only the quick one has run',
    'zh-CN': '综合适配度要等完整套件跑完才有，目前只跑了快速套件',
  },
  no_record: { en: 'This chip has not been proved yet', 'zh-CN': '这颗芯片还没有测评过' },
  not_proved: { en: 'This chip has not been proved yet', 'zh-CN': '这颗芯片还没有测评过' },
  steal_over_limit: {
    en: 'Too noisy: the host took {value%} of the processor time (limit {limit%})',
    'zh-CN': '干扰太大：宿主机占走了 {value%} 的处理器时间（上限 {limit%}）',
  },
  foreign_cpu_over_limit: {
    en: 'Too noisy: other programs used {value%} of the processors (limit {limit%})',
    'zh-CN': '干扰太大：其他程序占用了 {value%} 的处理器（上限 {limit%}）',
  },
  load_over_limit: {
    en: 'Too noisy: load per processor was {value} (limit {limit})',
    'zh-CN': '干扰太大：每个处理器的负载为 {value}（上限 {limit}）',
  },
  variation_over_limit: {
    en: 'Too noisy: repeats of {case} differ by {value%} (limit {limit%})',
    'zh-CN': '干扰太大：用例 {case} 各次重复相差 {value%}（上限 {limit%}）',
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
  'health-reported': { en: '{tool} reports its health as {value}', 'zh-CN': '{tool} 报告它的健康状态为 {value}' },
  'no-parser': {
    en: 'On the bus ({id}), but Medley cannot read the tool of its maker yet',
    'zh-CN': '总线上能看到（{id}），但 Medley 还不能读取该厂商的工具',
  },
  'not-answering': {
    en: 'It does not answer on the bus: asleep in a virtual machine, or fallen off',
    'zh-CN': '在总线上没有响应：可能已直通给虚拟机并休眠，也可能已掉卡',
  },
  'ecc-uncorrected': { en: '{count} uncorrected memory errors', 'zh-CN': '发生 {count} 次不可纠正的显存错误' },
  'link-narrow': {
    en: 'The PCIe link has {current} lanes of {maximum} possible',
    'zh-CN': 'PCIe 链路宽度为 {current}，最大可达 {maximum}',
  },
  // Why a model does not run: what its engine says.
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
  'engine.context.beyond-training': {
    en: 'A context of {asked} tokens is more than the {trained} the model was trained on: lower it to {trained}.',
    'zh-CN': '上下文设为 {asked} 个词元，超过模型训练时的 {trained} 个：请降到 {trained}。',
  },
  'engine.template.invalid': {
    en: 'The chat template {name} does not work with this model: correct it or choose another.',
    'zh-CN': '对话模板 {name} 用在这个模型上不行：请修正，或换一个模板。',
  },
  'engine.binary.missing': {
    en: 'No engine binary works on this machine. Install the one of this platform: npm install @node-llama-cpp/{platform}',
    'zh-CN': '这台机器上没有可用的引擎程序。请安装对应平台的包：npm install @node-llama-cpp/{platform}',
  },
  'engine.spec.invalid': {
    en: 'The engine cannot read what it was told to run. Server and engine are probably of different versions: update both.',
    'zh-CN': '引擎读不懂下发的运行规格。服务端与引擎多半版本不一致：请一并更新。',
  },
  'engine.socket.path-too-long': {
    en: 'The socket path {path} is longer than the {limit} bytes the system allows: choose a data directory with a shorter path.',
    'zh-CN': '套接字路径 {path} 超过系统允许的 {limit} 字节：请把数据目录换到更短的路径下。',
  },
  'engine.socket.taken': {
    en: 'An older engine process still answers on {path}: end it first.',
    'zh-CN': '还有旧的引擎进程占着 {path}：请先结束它。',
  },
  'engine.failed': {
    en: 'The engine failed: {reason}. Its log says more.',
    'zh-CN': '引擎出错：{reason}。详情见它的日志。',
  },
  // What the agent of the node says.
  'agent.spec.invalid': {
    en: 'The agent cannot read what it was told to run (at “{path}”). Server and agent are probably of different versions: update both.',
    'zh-CN': '代理读不懂下发的工作负载（出错处：“{path}”）。服务端与代理多半版本不一致：请一并更新。',
  },
  'agent.family.unknown': {
    en: 'This node has no engine “{family}”: choose another engine or update the agent.',
    'zh-CN': '这个节点没有推理引擎“{family}”：请换一种引擎，或更新代理。',
  },
  'agent.engine.launch-failed': {
    en: 'The engine could not be started: {message}. The agent keeps trying; `medley doctor` says what is missing.',
    'zh-CN': '推理引擎启动不了：{message}。代理会一直重试；缺什么可用 `medley doctor` 查看。',
  },
  'agent.engine.exited': {
    en: 'The engine ended unexpectedly ({reason}) and is being restarted. Last line of its log: {line}',
    'zh-CN': '推理引擎意外退出（{reason}），正在自动重启。日志最后一行：{line}',
  },
  'agent.engine.start-timeout': {
    en: 'The engine made no progress for {seconds} s while starting and is being restarted. The machine may be overloaded or short of memory.',
    'zh-CN': '推理引擎启动时 {seconds} 秒没有进展，正在自动重启。机器可能负载过高或内存不足。',
  },
  'agent.engine.hang': {
    en: 'The engine has not answered for {seconds} s and is being restarted.',
    'zh-CN': '推理引擎 {seconds} 秒没有响应，正在自动重启。',
  },
  'agent.engine.declared-failure': {
    en: 'The engine says that it cannot run. Last line of its log: {line}',
    'zh-CN': '推理引擎表示自己无法运行。日志最后一行：{line}',
  },
  'agent.engine.request-failed': {
    en: 'The engine answered with status {status} while it was measured. Prove the chip again; if it stays, see the engine’s log.',
    'zh-CN': '测评时推理引擎返回了状态码 {status}。请重新测评；若仍如此，请查看引擎日志。',
  },
  'agent.workload.failed': {
    en: 'The work failed on its node: {message}. The agent’s log says more.',
    'zh-CN': '任务在节点上失败：{message}。详情见代理的日志。',
  },
  'agent.server.refused': {
    en: 'The server refused the agent (status {status}). Both need the same data directory and the same version.',
    'zh-CN': '服务端拒绝了代理（状态码 {status}）。两者须使用同一数据目录和同一版本。',
  },
  // Why a proving run brought no result.
  'proving.failed': { en: 'The proving run failed', 'zh-CN': '测评没有完成' },
  'proving.deadline.exceeded': {
    en: 'The proving run took longer than {seconds} s and was stopped at “{step}”; the chip is free again. Stop other programs, then repeat it.',
    'zh-CN': '测评超过 {seconds} 秒，在“{step}”阶段停下，芯片已释放。请先停掉其他程序，再测一次。',
  },
  'proving.run.cancelled': {
    en: 'The proving run was cancelled. Start it again when it suits.',
    'zh-CN': '测评已取消，需要时重新发起即可。',
  },
  'proving.run.mismatch': {
    en: 'The result did not belong to run {run}, so nothing was stored. Start a new run.',
    'zh-CN': '结果与测评 {run} 对不上，没有写入任何数据。请重新发起测评。',
  },
  'proving.probe.failed': {
    en: 'The probe of the machine’s peak rates failed. `medley doctor` checks what it needs.',
    'zh-CN': '峰值探测没有成功。可用 `medley doctor` 检查所需环境。',
  },
  'proving.engine.failed': {
    en: 'The engine gave no measurement for case {case} (at “{step}”). See its log, then prove the chip again.',
    'zh-CN': '用例 {case} 没有测到结果（阶段“{step}”）。请查看引擎日志后重新测评。',
  },
  // Why the factory is not up yet.
  'registry.model.unobtainable': {
    en: 'No source could deliver the model {model}. Put the file {file} ({bytes} bytes, SHA-256 {sha256}) into {directory} on the machine that runs Medley; it is taken up within minutes, without a restart.',
    'zh-CN':
      '所有来源都取不到模型 {model}。请把文件 {file}（{bytes} 字节，SHA-256 为 {sha256}）放进 Medley 所在机器的 {directory}；几分钟内会自动识别，不用重启。',
  },
  'registry.model.not_found': {
    en: 'There is no model {model}: see which there are under “Models & deployments”.',
    'zh-CN': '没有名为 {model} 的模型：现有模型见“模型与部署”。',
  },
  'registry.model.damaged': {
    en: 'The model file does not match its checksum and was not used.',
    'zh-CN': '模型文件与校验和不符，没有使用。',
  },
  'registry.sources.invalid': {
    en: 'MEDLEY_MODEL_SOURCES names an unknown source in “{value}”. It takes {known}, parted by commas; correct it and start again.',
    'zh-CN': 'MEDLEY_MODEL_SOURCES 的值“{value}”里有不认识的来源。可用的有 {known}，以逗号分隔；改好后请重新启动。',
  },
  'server.bring-up.blocked': {
    en: 'It waits for what comes before it: {needs}.',
    'zh-CN': '前面的步骤还没完成：{needs}。',
  },
  'server.model.not-ready': {
    en: 'There is no model to measure with yet: it starts once the starter model is fetched.',
    'zh-CN': '还没有可用于测评的模型：起步模型就绪之后再测。',
  },
  'server.proving.failed': {
    en: 'The measurement ended without a result. {cause}',
    'zh-CN': '测评没有得出结果。{cause}',
  },
  'server.deployment.failed': {
    en: 'The model could not be deployed. {cause}',
    'zh-CN': '模型没能部署成功。{cause}',
  },
  'server.unexpected': {
    en: 'Something failed inside Medley: {detail}. It is tried again; if it stays, send this line with the server log.',
    'zh-CN': '系统内部出错：{detail}。系统会自动重试；若一直如此，请附上这一行和服务日志反馈。',
  },
}
