import type { ReactNode } from 'react'
import { useFormat } from '../../i18n/format.ts'
import { useText } from '../../i18n/messages.ts'
import type { Node } from '../../shared/api/types.ts'
import { type Column, DataTable } from '../../shared/ui/data-table.tsx'
import { FactList } from '../../shared/ui/fact-list.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { StateMark } from '../../shared/ui/state-mark.tsx'
import { Unknown } from '../../shared/ui/unknown.tsx'
import { When } from '../../shared/ui/when.tsx'
import { nodeMessages } from './nodes.messages.ts'

type Hardware = NonNullable<Node['facts']['hardware']>

export function FactsPanel({ node }: { readonly node: Node }) {
  const t = useText(nodeMessages)
  const format = useFormat()
  const { facts } = node
  return (
    <Panel title={t('facts')}>
      <FactList
        facts={[
          { name: t('os'), value: facts.operatingSystem },
          { name: t('kernel'), value: facts.kernel },
          { name: t('architecture'), value: facts.architecture },
          { name: t('cpus'), value: format.count(facts.cpuCount) },
          { name: t('memory'), value: format.bytes(facts.memoryBytes) },
          { name: t('agent'), value: `${facts.agentVersion} · Node ${facts.nodeVersion}` },
          {
            name: t('skew'),
            value:
              node.clockSkewMs === null ? <Unknown reason={t('skewNone')} /> : format.milliseconds(node.clockSkewMs),
          },
          { name: t('tenant'), value: node.tenantId ?? t('everyTenant') },
          { name: t('first'), value: <When iso={node.firstSeenAt} /> },
          {
            name: t('engines'),
            wide: true,
            value:
              facts.engines.length === 0
                ? t('noEngines')
                : facts.engines.map((engine) => `${engine.family} (${engine.version})`).join(', '),
          },
        ]}
      />
    </Panel>
  )
}

function LinkMark({ state }: { readonly state: 'up' | 'down' | 'active' | 'unknown' }) {
  const t = useText(nodeMessages)
  const mark = state === 'unknown' ? 'unknown' : state === 'down' ? 'waiting' : 'healthy'
  return <StateMark state={mark} label={t(state)} />
}

interface PartProps<Row> {
  readonly title: string
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly columns: readonly Column<Row>[]
}

function Part<Row>({ title, rows, rowKey, columns }: PartProps<Row>) {
  const t = useText(nodeMessages)
  return (
    <Panel title={title} flush>
      {rows.length === 0 ? (
        <p className="line muted">{t('noneOfKind')}</p>
      ) : (
        <DataTable caption={title} rows={rows} rowKey={rowKey} columns={columns} />
      )}
    </Panel>
  )
}

function useCells() {
  const t = useText(nodeMessages)
  const format = useFormat()
  const known = <Value,>(value: Value | null, show: (value: Value) => ReactNode): ReactNode =>
    value === null ? <Unknown reason={t('notReported')} /> : show(value)
  return { t, format, known, rate: (value: number | null) => known(value, (bits) => format.rate(bits, 'bit/s')) }
}

function Disks({ disks }: Pick<Hardware, 'disks'>) {
  const { t, format, known } = useCells()
  return (
    <Part
      title={t('disks')}
      rows={disks}
      rowKey={(disk) => disk.name}
      columns={[
        { key: 'name', title: t('name'), sortBy: (disk) => disk.name, render: (disk) => <code>{disk.name}</code> },
        { key: 'model', title: t('model'), render: (disk) => known(disk.model, String) },
        {
          key: 'kind',
          title: t('kind'),
          render: (disk) => known(disk.rotational, (turns) => t(turns ? 'rotating' : 'solid')),
        },
        {
          key: 'size',
          title: t('size'),
          align: 'right',
          sortBy: (disk) => disk.sizeBytes,
          render: (disk) => format.bytes(disk.sizeBytes),
        },
      ]}
    />
  )
}

function Network({ hardware }: { readonly hardware: Hardware }) {
  const { t, known, rate } = useCells()
  return (
    <>
      <Part
        title={t('interfaces')}
        rows={hardware.networkInterfaces}
        rowKey={(row) => row.name}
        columns={[
          { key: 'name', title: t('name'), sortBy: (row) => row.name, render: (row) => <code>{row.name}</code> },
          { key: 'state', title: t('state'), render: (row) => <LinkMark state={row.state} /> },
          { key: 'speed', title: t('speed'), align: 'right', render: (row) => rate(row.speedBitsPerSecond) },
          { key: 'numa', title: 'NUMA', align: 'right', render: (row) => known(row.numaNode, String) },
          { key: 'driver', title: t('driver'), render: (row) => known(row.driver, String) },
          { key: 'mac', title: t('address'), render: (row) => known(row.macAddress, (mac) => <code>{mac}</code>) },
        ]}
      />
      <Part
        title={t('rdma')}
        rows={hardware.rdmaDevices}
        rowKey={(row) => `${row.name} ${row.port}`}
        columns={[
          { key: 'name', title: t('name'), sortBy: (row) => row.name, render: (row) => <code>{row.name}</code> },
          { key: 'port', title: t('port'), align: 'right', render: (row) => row.port },
          { key: 'state', title: t('state'), render: (row) => <LinkMark state={row.state} /> },
          { key: 'layer', title: t('layer'), render: (row) => row.linkLayer },
          { key: 'speed', title: t('speed'), align: 'right', render: (row) => rate(row.rateBitsPerSecond) },
        ]}
      />
    </>
  )
}

export function HardwarePanels({ node }: { readonly node: Node }) {
  const { t, format, known } = useCells()
  const { hardware } = node.facts
  if (hardware === undefined) {
    return (
      <Panel title={t('hardware')}>
        <p className="muted">{t('hardwareNone')}</p>
      </Panel>
    )
  }
  return (
    <div className="stack">
      <Network hardware={hardware} />
      <div className="columns">
        <Disks disks={hardware.disks} />
        <Part
          title={t('numa')}
          rows={hardware.numaNodes}
          rowKey={(row) => String(row.id)}
          columns={[
            { key: 'id', title: 'NUMA', render: (row) => row.id },
            { key: 'cpus', title: t('cpuList'), render: (row) => <code>{row.cpuList}</code> },
            {
              key: 'memory',
              title: t('memory'),
              align: 'right',
              render: (row) => known(row.memoryBytes, format.bytes),
            },
          ]}
        />
      </div>
    </div>
  )
}
