import type { ChipDriver, DriverHost } from '@medley/fleet'
import type { ChipFacts } from '@medley/fleet/protocol'
import { isMadeUuid } from '../outputs.ts'
import { textOrNull } from '../parsing.ts'
import { type Ask, createToolReading } from '../tool-reading.ts'
import { parseDetails, parseMapping } from './details.ts'
import { ascendOutputs } from './outputs.ts'
import { ascendSheets } from './sheets.ts'
import { parseTable } from './table.ts'

const ROOT = '/usr/local/Ascend'
const CANDIDATES = [
  '/usr/local/bin/npu-smi',
  '/usr/local/sbin/npu-smi',
  '/usr/sbin/npu-smi',
  '/usr/bin/npu-smi',
  `${ROOT}/driver/tools/npu-smi`,
  'npu-smi',
]

const PRODUCTS: Readonly<Record<string, string>> = { d100: '310', d500: '310P', d801: '910A', d802: '910B' }

/** What does not change while the same chips are listed, by card and chip. */
type Identities = ReadonlyMap<string, { readonly logicId: number | null; readonly board: ChipFacts | null }>

export function createAscendDriver(): ChipDriver {
  let known: { readonly chips: string; readonly identities: Identities } | null = null
  const read = createToolReading({
    vendor: 'ascend',
    tool: 'npu-smi',
    candidates: CANDIDATES,
    deviceFiles: /^davinci\d+$/,
    kernelDrivers: /^(?:drv_|devdrv|davinci|ascend|hisi)/i,
    productOf: (device) => `Ascend ${PRODUCTS[device] ?? device}`.trim(),
    // The vendor's network cards and board consoles share its id.
    isChip: (func) => func.deviceId.startsWith('d'),
    poll: async (ask, host) => {
      const answer = await ask(['info'])
      const listed = answer.kind === 'output' ? parseTable(answer.stdout) : []
      if (listed.length === 0) return { chips: [], answer }
      const key = listed.map(placeOf).join()
      // Four processes per card: asked once, not at every poll.
      if (known?.chips !== key) known = { chips: key, identities: await readIdentities(ask, listed) }
      const driverVersion = await readDriverVersion(host)
      const identities = known.identities
      return { chips: listed.map((chip) => withIdentity(chip, identities, driverVersion)), answer }
    },
  })
  return {
    name: 'ascend',
    layoutVerified: true,
    domestic: true,
    pciVendorIds: ['19e5'],
    kubernetesResources: ['huawei.com/Ascend910', 'huawei.com/Ascend310P', 'huawei.com/npu'],
    torchDevice: 'npu',
    collectiveLibrary: 'hccl',
    sheets: ascendSheets,
    topology: { candidates: CANDIDATES, args: ['info', '-t', 'topo'] },
    ...ascendOutputs,
    read,
    bind: (chips) => {
      const physical = chips.flatMap((chip) => chip.extra.physicalId ?? chip.index ?? [])
      const logical = chips.flatMap((chip) => chip.extra.logicId ?? chip.index ?? [])
      return {
        env: { ASCEND_RT_VISIBLE_DEVICES: logical.join(','), ASCEND_VISIBLE_DEVICES: physical.join(',') },
        devices: [
          ...physical.map((id) => `/dev/davinci${id}`),
          '/dev/davinci_manager',
          '/dev/devmm_svm',
          '/dev/hisi_hdc',
        ],
        mounts: [`${ROOT}/driver`, '/usr/local/dcmi', '/usr/local/bin/npu-smi'],
      }
    },
  }
}

const placeOf = (chip: ChipFacts): string => `${chip.cardKey}/${chip.chipOnCard}`

async function readIdentities(ask: Ask, chips: readonly ChipFacts[]): Promise<Identities> {
  const mapping = await ask(['info', '-m'])
  const mapped = mapping.kind === 'output' ? parseMapping(mapping.stdout) : []
  const identities = new Map<string, { logicId: number | null; board: ChipFacts | null }>()
  let answers = true
  for (const chip of chips) {
    const args = ['info', '-t', 'board', '-i', `${chip.extra.npuId}`, '-c', `${chip.chipOnCard}`]
    const board = answers ? await ask(args) : null
    const read = board?.kind === 'output' ? (parseDetails(board.stdout)[0] ?? null) : null
    // One card that hangs must not cost the others their turn.
    if (board?.kind === 'timeout') answers = false
    const logicId = mapped.find((candidate) => placeOf(candidate) === placeOf(chip))?.extra.logicId
    identities.set(placeOf(chip), { logicId: typeof logicId === 'number' ? logicId : null, board: read })
  }
  return identities
}

async function readDriverVersion(host: DriverHost): Promise<string | null> {
  const info = await host.readFile(`${ROOT}/driver/version.info`)
  return textOrNull(/^\s*Version\s*=\s*(\S+)/im.exec(info ?? '')?.[1])
}

function withIdentity(chip: ChipFacts, identities: Identities, driverVersion: string | null): ChipFacts {
  const identity = identities.get(placeOf(chip))
  const board = identity?.board
  return {
    ...chip,
    product: chip.product || (board?.product ?? '') || 'Ascend NPU',
    uuid: board && !isMadeUuid(board) ? board.uuid : chip.uuid,
    serial: chip.serial ?? board?.serial ?? null,
    firmwareVersion: chip.firmwareVersion ?? board?.firmwareVersion ?? null,
    driverVersion: driverVersion ?? chip.driverVersion,
    extra: { ...chip.extra, logicId: identity?.logicId ?? null },
  }
}
