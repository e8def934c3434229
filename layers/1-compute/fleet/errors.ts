import { defineErrors } from '@medley/kernel'

export const fleetErrors = defineErrors('fleet', {
  'chip.unknown': {
    status: 404,
    title: { en: 'There is no chip {id}', 'zh-CN': '没有这颗芯片：{id}' },
    hint: { en: 'List the chips with `medley chips`', 'zh-CN': '用 `medley chips` 查看全部芯片' },
  },
  'chip.not-quarantined': {
    status: 409,
    title: { en: 'Chip {id} is not in quarantine', 'zh-CN': '芯片 {id} 不在隔离状态' },
    hint: {
      en: 'Only a chip that was put in quarantine can be released from it',
      'zh-CN': '只有已被隔离的芯片才能解除隔离',
    },
  },
  'chip.present': {
    status: 409,
    title: { en: 'Chip {id} is still in its node', 'zh-CN': '芯片 {id} 仍在节点中' },
    hint: {
      en: 'Take the card out first; to keep work away from it, put it in quarantine',
      'zh-CN': '请先取下该卡；若只是不再放置任务，请将其隔离',
    },
  },
  'chip.not-retired': {
    status: 409,
    title: { en: 'Chip {id} was not retired', 'zh-CN': '芯片 {id} 没有退役' },
    hint: {
      en: 'Only a retired chip can be restored; it may have come back by itself, as its node reports it again',
      'zh-CN': '只有已退役的芯片才能恢复；节点重新上报后它也会自动恢复',
    },
  },
  'node.unknown': {
    status: 404,
    title: { en: 'There is no node {id}', 'zh-CN': '没有这个节点：{id}' },
    hint: { en: 'List the nodes with `medley nodes`', 'zh-CN': '用 `medley nodes` 查看全部节点' },
  },
  'node.revoked': {
    status: 403,
    title: { en: 'Node {id} was revoked', 'zh-CN': '节点 {id} 已被吊销' },
    hint: {
      en: 'A revoked node stays out; to use the machine again, give its agent a new directory and join it anew',
      'zh-CN': '已吊销的节点不能恢复；要重新使用这台机器，请为代理换一个新目录并重新加入',
    },
  },
  'node.foreign': {
    status: 409,
    title: { en: 'The node already belongs to another owner', 'zh-CN': '该节点已归属其他所有者' },
    hint: {
      en: 'Join it with a token of its owner, or give its agent a new directory',
      'zh-CN': '请使用其所有者的加入令牌，或为代理换一个新目录',
    },
  },
  'node.other-kind': {
    status: 409,
    title: {
      en: 'A simulated node stays simulated, and a real one real',
      'zh-CN': '模拟节点始终是模拟节点，真实节点始终是真实节点',
    },
    hint: {
      en: 'Give the agent a new directory: its key is known as a node of the other kind',
      'zh-CN': '请为代理换一个新目录：当前密钥已登记为另一类节点',
    },
  },
  'labels.invalid': {
    status: 422,
    title: { en: 'The label or taint "{key}" is not allowed: {rule}', 'zh-CN': '标签或污点“{key}”不符合规则：{rule}' },
    hint: {
      en: 'Keys and values follow Kubernetes: letters, digits, "-", "_" and ".", at most 63 characters, beginning and ending with a letter or digit; a key may have a DNS name and "/" in front',
      'zh-CN':
        '键和值遵循 Kubernetes 规则：由字母、数字、“-”、“_”、“.”组成，最长 63 个字符，首尾必须是字母或数字；键前可加 DNS 域名和“/”',
    },
  },
  'place.invalid': {
    status: 422,
    title: { en: 'The {member} "{value}" is not allowed: {rule}', 'zh-CN': '位置 {member}“{value}”不符合规则：{rule}' },
    hint: {
      en: 'Use 1 to 63 characters without control characters and without blanks at either end, or null',
      'zh-CN': '请使用 1 到 63 个字符，不含控制字符，首尾不含空白；不填请用 null',
    },
  },
  'maintenance.window': {
    status: 422,
    title: { en: 'The maintenance window is not possible: {rule}', 'zh-CN': '维护时段无效：{rule}' },
    hint: {
      en: 'It must end after it begins, and in the future',
      'zh-CN': '结束时间必须晚于开始时间，且必须在将来',
    },
  },
  'maintenance.unknown': {
    status: 404,
    title: { en: 'There is no maintenance window {id}', 'zh-CN': '没有这个维护时段：{id}' },
    hint: { en: 'It may have been cancelled already', 'zh-CN': '它可能已被取消' },
  },
})
