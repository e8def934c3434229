import { defineMessages } from '../../i18n/messages.ts'

export const topologyMessages = defineMessages({
  title: { en: 'Topology', 'zh-CN': '拓扑' },
  sub: {
    en: 'Which nodes are near each other: spine switch, rack, node; and how chips reach each other within a node.',
    'zh-CN': '节点的远近：汇聚交换机、机柜、节点；以及节点内芯片如何互联。',
  },
  tree: { en: 'Spine, rack, node', 'zh-CN': '交换机、机柜、节点' },
  filter: { en: 'Node or rack', 'zh-CN': '节点或机柜' },
  noSpine: { en: 'No spine switch given', 'zh-CN': '未标汇聚交换机' },
  noRack: { en: 'No rack given', 'zh-CN': '未标机柜' },
  counts: { en: '{nodes} nodes, {chips} chips', 'zh-CN': '{nodes} 个节点，{chips} 颗芯片' },
  links: { en: 'Links within {name}', 'zh-CN': '{name} 内的互联' },
  choose: { en: 'Links within a node', 'zh-CN': '节点内互联' },
  chooseNext: {
    en: 'Choose a node on the left to see how its chips are linked.',
    'zh-CN': '在左侧选一个节点，查看其芯片如何互联。',
  },
  toNode: { en: 'Open the node', 'zh-CN': '打开节点' },
  none: { en: 'No nodes yet', 'zh-CN': '还没有节点' },
  noneNext: {
    en: 'Join nodes first; then say on each node’s page in which rack and at which switch it stands.',
    'zh-CN': '先接入节点，再在节点页填写它所在的机柜和交换机。',
  },
  toNodes: { en: 'Go to the nodes', 'zh-CN': '去节点页' },
  noMatch: { en: 'Nothing matches “{text}”', 'zh-CN': '没有与“{text}”相符的内容' },
  noMatchNext: {
    en: 'The filter looks at names of nodes, racks and switches.',
    'zh-CN': '筛选范围是节点、机柜和交换机的名称。',
  },
  clear: { en: 'Show all', 'zh-CN': '显示全部' },
})
