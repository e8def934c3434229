import { Link } from '@tanstack/react-router'
import { useFormat } from '../../i18n/format.ts'
import { defineMessages, useText } from '../../i18n/messages.ts'
import type { NodeTopology } from '../api/types.ts'
import { ChipStateMark } from '../ui/chip-state.tsx'
import { Empty } from '../ui/empty.tsx'
import './fleet-parts.css'

const messages = defineMessages({
  matrix: { en: 'Links between the chips of this node', 'zh-CN': '本节点内芯片之间的互联' },
  chip: { en: 'Chip', 'zh-CN': '芯片' },
  numa: { en: 'NUMA {id}', 'zh-CN': 'NUMA {id}' },
  none: { en: 'The drivers report no links', 'zh-CN': '驱动没有上报互联信息' },
  noneWhy: {
    en: 'One chip has no partner; some vendors’ tools do not tell the topology.',
    'zh-CN': '只有一颗芯片时没有互联；有的厂商工具不提供拓扑。',
  },
  card: { en: 'Same card', 'zh-CN': '同一张卡' },
  link: { en: 'Vendor’s own link', 'zh-CN': '厂商专用互联' },
  switch: { en: 'One PCIe switch', 'zh-CN': '同一 PCIe 交换芯片' },
  switches: { en: 'Several PCIe switches', 'zh-CN': '跨 PCIe 交换芯片' },
  bridge: { en: 'Host bridge', 'zh-CN': '主桥' },
  socket: { en: 'Between sockets', 'zh-CN': '跨 CPU 插槽' },
  system: { en: 'Through the system', 'zh-CN': '经系统总线' },
  itself: { en: 'itself', 'zh-CN': '自身' },
  unknown: { en: 'not reported', 'zh-CN': '未上报' },
})

type Kind = NodeTopology['links'][number]['kind']
/** From near to far, as shades: the nearest two share the darkest. */
const nearness: Readonly<Record<Kind, number>> = {
  card: 0,
  link: 0,
  switch: 1,
  switches: 2,
  bridge: 3,
  socket: 4,
  system: 4,
}
const kinds = ['card', 'link', 'switch', 'switches', 'bridge', 'socket', 'system'] as const

/** Who reaches whom over what: one row and one column per chip, darker is nearer, the kind stands in the cell. */
export function LinkMatrix({ topology }: { readonly topology: NodeTopology }) {
  const t = useText(messages)
  const format = useFormat()
  const { links } = topology
  const chips = topology.chips.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))
  if (links.length === 0) return <Empty title={t('none')}>{t('noneWhy')}</Empty>
  const byPair = new Map(links.map((link) => [`${link.from} ${link.to}`, link]))
  const between = (a: string, b: string) => byPair.get(`${a} ${b}`) ?? byPair.get(`${b} ${a}`)
  const used = kinds.filter((kind) => links.some((link) => link.kind === kind))
  const name = (chip: NodeTopology['chips'][number], place: number) => `#${chip.index ?? place}`
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex lint/a11y/useSemanticElements: scrolls, so it must take keys */}
      <div className="matrix-scroll" tabIndex={0} role="region" aria-label={t('matrix')}>
        <table className="link-matrix">
          <caption className="vh">{t('matrix')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('chip')}</th>
              {chips.map((chip, place) => (
                <th key={chip.id} scope="col">
                  {name(chip, place)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {chips.map((row, place) => (
              <tr key={row.id} className={place > 0 && chips[place - 1]?.numaNode !== row.numaNode ? 'numa-start' : ''}>
                <th scope="row">
                  <Link to="/chips/$chipId" params={{ chipId: row.id }}>
                    {name(row, place)}
                  </Link>{' '}
                  {row.numaNode === null ? null : <span>{t('numa', { id: String(row.numaNode) })} </span>}
                  {row.state === 'healthy' ? null : <ChipStateMark state={row.state} />}
                </th>
                {chips.map((column) => {
                  if (column.id === row.id) return <td key={column.id} className="self" aria-label={t('itself')} />
                  const link = between(row.uuid, column.uuid)
                  if (link === undefined) return <td key={column.id}>—</td>
                  return (
                    <td key={column.id} className={`link-near-${nearness[link.kind]}`}>
                      {link.label}
                      <span className="vh"> {t(link.kind)}</span>
                      {link.bytesPerSecond === null ? null : (
                        <div className="small">{format.rate(link.bytesPerSecond, 'B/s')}</div>
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className="link-legend">
        {used.map((kind) => (
          <li key={kind}>
            <span className={`swatch link-near-${nearness[kind]}`} />
            {t(kind)}{' '}
            <span className="muted">
              ({[...new Set(links.flatMap((link) => (link.kind === kind ? [link.label] : [])))].slice(0, 4).join(', ')})
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}
