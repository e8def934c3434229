import type { ChipView } from '@medley/fleet'
import { serverErrors } from './errors.ts'
import type { OwnNodes } from './own-nodes.ts'

/**
 * Refuses chips on which nothing of ours could run: those without hardware, and those of other machines, where the
 * model's files are not.
 *
 * @throws AppError `server.chip.simulated`, `server.chip.remote`
 */
export function refuseUnfit(chip: Pick<ChipView, 'simulated' | 'nodeId'>, ownNodes: OwnNodes): void {
  if (chip.simulated) throw serverErrors['chip.simulated']()
  if (!ownNodes.ids.includes(chip.nodeId)) throw serverErrors['chip.remote']()
}
