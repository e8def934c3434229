import type { ChipView, NodeView } from '@medley/fleet'
import { serverErrors } from '../errors.ts'
import type { Factory } from '../factory.ts'
import type { Principal } from './guard.ts'

/**
 * The node, where the one who asks may change it: the centre's operator any, a tenant's only the tenant's own. A
 * node of another tenant is not there at all.
 *
 * @throws AppError `fleet.node.unknown`, `server.node.not-yours`
 */
export async function changeableNode(factory: Factory, principal: Principal, id: string): Promise<NodeView> {
  const node = await factory.fleet.node(id, principal.viewer)
  if (!principal.viewer.all && node.tenantId !== principal.viewer.tenantId) throw serverErrors['node.not-yours']()
  return node
}

/** As {@link changeableNode}, for a chip by its node. @throws AppError also `fleet.chip.unknown` */
export async function changeableChip(factory: Factory, principal: Principal, id: string): Promise<ChipView> {
  const chip = await factory.fleet.chip(id, principal.viewer)
  await changeableNode(factory, principal, chip.nodeId)
  return chip
}

/** The centre's own business: rules, channels and datasheets are one for all. @throws AppError `server.centre.only` */
export function requireCentre({ home }: Principal): void {
  if (!home) throw serverErrors['centre.only']()
}
