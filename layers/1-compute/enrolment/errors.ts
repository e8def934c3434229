import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('enrolment', {
  'token.invalid': {
    status: 400,
    title: { en: 'This join token cannot be made', 'zh-CN': '无法创建该接入令牌' },
    hint: {
      en: 'A join token lives 1 minute to 24 hours, serves 1 to 2,000 nodes and has a note of at most 200 characters.',
      'zh-CN': '接入令牌的有效期为 1 分钟至 24 小时，可供 1 至 2000 个节点使用，备注不超过 200 个字符。',
    },
  },
  'token.unknown': {
    status: 404,
    title: { en: 'No such join token', 'zh-CN': '没有这个接入令牌' },
    hint: {
      en: 'List the join tokens; {id} is not among those of your tenant.',
      'zh-CN': '请查看接入令牌列表；您的租户下没有 {id}。',
    },
  },
  'token.refused': {
    status: 401,
    title: { en: 'The join token was refused', 'zh-CN': '接入令牌被拒绝' },
    hint: {
      en: 'A join token works for a short time and for as many nodes as it was made for. Make a new one and join again; the audit tells the operator why this one was refused.',
      'zh-CN':
        '接入令牌只在短时间内、对限定数量的节点有效。请新建一个令牌后重新接入；拒绝的具体原因，管理员可在审计记录中查看。',
    },
  },
  'node.foreign': {
    status: 403,
    title: { en: 'This node belongs to another tenant', 'zh-CN': '该节点属于其他租户' },
    hint: {
      en: 'Join it with a token of the tenant that enrolled it, or empty the agent’s directory to join as a new node.',
      'zh-CN': '请使用当初接入该节点的租户所创建的令牌，或清空节点上的代理目录，作为新节点接入。',
    },
  },
  'node.revoked': {
    status: 403,
    title: { en: 'This node was revoked', 'zh-CN': '该节点已被吊销' },
    hint: {
      en: 'A revoked node never comes back under its old name. If the machine is trusted again, empty the agent’s directory and join as a new node.',
      'zh-CN': '被吊销的节点不能以原身份恢复。如已重新确认该机器可信，请清空节点上的代理目录，作为新节点接入。',
    },
  },
  'node.kind': {
    status: 409,
    title: { en: 'A node cannot change between real and simulated', 'zh-CN': '节点不能在真实与模拟之间切换' },
    hint: {
      en: 'Empty the agent’s directory to join as a new node; a token for simulated nodes makes simulated nodes only.',
      'zh-CN': '请清空节点上的代理目录，作为新节点接入；用于模拟节点的令牌只能接入模拟节点。',
    },
  },
  'key.invalid': {
    status: 400,
    title: { en: 'The node’s public key cannot be read', 'zh-CN': '无法读取节点公钥' },
    hint: {
      en: 'It must be the raw 32 bytes of an Ed25519 key in base64url. Use the agent of this release.',
      'zh-CN': '公钥应为 Ed25519 原始 32 字节的 base64url 编码。请使用与本版本配套的代理程序。',
    },
  },
  'node.unknown': {
    status: 404,
    title: { en: 'No such node', 'zh-CN': '没有这个节点' },
    hint: {
      en: 'List the nodes; {id} is not among those you may manage.',
      'zh-CN': '请查看节点列表；您可管理的节点中没有 {id}。',
    },
  },
})
