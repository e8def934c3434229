import { defineErrors } from '@medley/kernel'

/** What can become of a workload on a node; the codes travel in `WorkloadStatus.error`. */
export const agentErrors = defineErrors('agent', {
  'spec.invalid': {
    status: 422,
    title: { en: 'The agent cannot read this workload', 'zh-CN': '代理无法读取该工作负载' },
    hint: {
      en: 'Server and agent probably have different versions: update both. First fault at "{path}".',
      'zh-CN': '服务端与代理的版本可能不一致，请一并更新。首个出错字段：“{path}”。',
    },
  },
  'family.unknown': {
    status: 422,
    title: { en: 'This node has no engine "{family}"', 'zh-CN': '该节点没有推理引擎“{family}”' },
    hint: { en: 'Choose another engine or update the agent.', 'zh-CN': '请改用其他引擎，或更新代理。' },
  },
  'engine.launch-failed': {
    status: 500,
    title: { en: 'The engine could not be started: {message}', 'zh-CN': '推理引擎无法启动：{message}' },
    hint: {
      en: '`medley doctor` says what is missing. The agent keeps trying.',
      'zh-CN': '运行 `medley doctor` 可查看缺少什么。代理会继续重试。',
    },
  },
  'engine.exited': {
    status: 502,
    title: { en: 'The engine ended unexpectedly ({reason})', 'zh-CN': '推理引擎意外退出（{reason}）' },
    hint: { en: 'It is being restarted. Last line of its log: {line}', 'zh-CN': '正在自动重启。日志最后一行：{line}' },
  },
  'engine.start-timeout': {
    status: 504,
    title: {
      en: 'The engine made no progress for {seconds} s while starting',
      'zh-CN': '推理引擎启动时 {seconds} 秒没有进展',
    },
    hint: {
      en: 'It is being restarted. The machine may be overloaded or short of memory.',
      'zh-CN': '正在自动重启。机器可能负载过高或内存不足。',
    },
  },
  'engine.hang': {
    status: 504,
    title: { en: 'The engine has not answered for {seconds} s', 'zh-CN': '推理引擎 {seconds} 秒没有响应' },
    hint: { en: 'It is being restarted.', 'zh-CN': '正在自动重启。' },
  },
  'engine.declared-failure': {
    status: 502,
    title: { en: 'The engine reports that it cannot run', 'zh-CN': '推理引擎报告自身无法运行' },
    hint: { en: 'Look at its log: {line}', 'zh-CN': '请查看它的日志：{line}' },
  },
  'workload.failed': {
    status: 500,
    title: { en: 'The workload failed: {message}', 'zh-CN': '工作负载失败：{message}' },
    hint: { en: 'Look at the agent’s log.', 'zh-CN': '请查看代理的日志。' },
  },
  'engine.request-failed': {
    status: 502,
    title: { en: 'The engine answered with status {status}', 'zh-CN': '推理引擎返回状态码 {status}' },
    hint: { en: 'Look at the engine’s log.', 'zh-CN': '请查看推理引擎的日志。' },
  },
  'join.refused': {
    status: 403,
    title: { en: '{server} refused this node ({code}): {title}', 'zh-CN': '{server} 拒绝了该节点（{code}）：{title}' },
    hint: {
      en: 'Make a new join token and try again. The server’s audit log says why this one was refused.',
      'zh-CN': '请新建接入令牌后重试。拒绝的具体原因可在服务端的审计日志中查看。',
    },
  },
  'join.unreachable': {
    status: 503,
    title: { en: '{server} could not be asked to join: {reason}', 'zh-CN': '无法向 {server} 申请接入：{reason}' },
    hint: {
      en: 'Check the address and the network, then try again. If the token was spent by this attempt, make a new one with: medley agent token. The node keeps its key and stays the same node.',
      'zh-CN':
        '请检查服务端地址和网络后重试。如果令牌已被这次请求用掉，请用 medley agent token 重新生成；节点的密钥不变，仍是同一个节点。',
    },
  },
  'join.missing': {
    status: 409,
    title: { en: 'This machine has not joined a server yet', 'zh-CN': '本机尚未接入任何服务端' },
    hint: {
      en: 'Run `medley agent join URL` with a join token. Looked in {directory}.',
      'zh-CN': '请使用接入令牌运行 `medley agent join URL`。查找目录：{directory}。',
    },
  },
  'upgrade.refused': {
    status: 403,
    title: {
      en: 'Version {version} of the agent was not taken: {reason}',
      'zh-CN': '未采用代理版本 {version}：{reason}',
    },
    hint: {
      en: 'The agent goes on with its own version. Only the server this node joined can offer another one.',
      'zh-CN': '代理继续使用当前版本。只有该节点所接入的服务端才能提供新版本。',
    },
  },
  'upgrade.failed': {
    status: 503,
    title: {
      en: 'Version {version} of the agent could not be fetched: {reason}',
      'zh-CN': '无法获取代理版本 {version}：{reason}',
    },
    hint: {
      en: 'The agent goes on with its own version and tries again when the server offers it again.',
      'zh-CN': '代理继续使用当前版本，待服务端再次提供时重试。',
    },
  },
  'credentials.exposed': {
    status: 500,
    title: {
      en: 'Others on this machine may read the node’s private key (mode {mode})',
      'zh-CN': '本机其他用户可以读取节点私钥（权限 {mode}）',
    },
    hint: {
      en: 'Run `chmod 600 {file}`. If somebody may have read it, revoke the node and join again as a new one.',
      'zh-CN': '请运行 `chmod 600 {file}`。若私钥可能已泄露，请吊销该节点，再作为新节点接入。',
    },
  },
  'credentials.unreadable': {
    status: 500,
    title: {
      en: 'The node’s credentials cannot be read or written ({reason})',
      'zh-CN': '无法读写节点凭据（{reason}）',
    },
    hint: {
      en: 'Check the owner and the content of {file}. Without it the node must join again as a new one.',
      'zh-CN': '请检查 {file} 的属主和内容。该文件丢失后，节点只能作为新节点重新接入。',
    },
  },
  'channel.cut': {
    status: 503,
    title: { en: 'The connection to the server broke ({reason})', 'zh-CN': '与服务端的连接已中断（{reason}）' },
    hint: {
      en: 'The agent dials again by itself; engines keep running and readings are kept meanwhile.',
      'zh-CN': '代理会自动重连；其间推理引擎照常运行，读数会暂存。',
    },
  },
  'channel.silent': {
    status: 504,
    title: { en: 'The server has gone silent', 'zh-CN': '服务端没有响应' },
    hint: {
      en: 'The agent dials again by itself. Check the network between node and server if this goes on.',
      'zh-CN': '代理会自动重连。若持续出现，请检查节点与服务端之间的网络。',
    },
  },
  'channel.failed': {
    status: 503,
    title: { en: 'The server could not take a message ({code})', 'zh-CN': '服务端未能接收消息（{code}）' },
    hint: { en: 'The agent sends it again.', 'zh-CN': '代理会重新发送。' },
  },
  'channel.wrong-server': {
    status: 502,
    title: {
      en: 'The server is not the one this node joined (it says it is {instance})',
      'zh-CN': '对方不是该节点接入的服务端（对方自称 {instance}）',
    },
    hint: {
      en: 'Check the address. If the server was set up anew, join the node again with a new token.',
      'zh-CN': '请检查服务端地址。若服务端已重新安装，请用新令牌让节点重新接入。',
    },
  },
  'channel.refused': {
    status: 403,
    title: { en: 'The server no longer takes this node ({code})', 'zh-CN': '服务端不再接纳该节点（{code}）' },
    hint: {
      en: 'Ask the operator. An unknown node joins again with a new token; after a revocation, empty the agent’s folder (DATA/agent) and join as a new node with a new token.',
      'zh-CN':
        '请联系运维人员。未知的节点可用新令牌重新接入；若节点已被吊销，请先清空代理目录（DATA/agent），再用新令牌作为新节点接入。',
    },
  },
})
