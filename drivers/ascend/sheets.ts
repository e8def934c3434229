import type { ProductSheet } from '@medley/fleet'
import { sheet } from '../sheets.ts'

/** Nominal peaks per chip as the tool lists it; a 910C package is two of them. */
export const ascendSheets: readonly ProductSheet[] = [
  sheet('910A', { fp16: 256, int8: 512 }, 1200, 'third party', '910 variants differ'),
  sheet('910B1', { fp16: 376, bf16: 376, int8: 752 }, 1600, 'memory'),
  sheet('910B2', { fp16: 354, bf16: 354, int8: 707 }, 1600, 'memory'),
  sheet('910B3', { fp16: 313, bf16: 313, int8: 626 }, 1600, 'memory', 'another source says 280 and 560'),
  sheet('910B4', { fp16: 280, bf16: 280, int8: 560 }, 800, 'third party'),
  sheet('Ascend910', { fp16: 376, bf16: 376, int8: 752 }, 1600, 'third party', '910C: half of a package of two dies'),
  sheet('310P3', { fp16: 70, int8: 140 }, 204.8, 'memory', 'one chip; another source says 22 and 88'),
]
