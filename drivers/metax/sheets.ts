import { sheet } from '../sheets.ts'

export const metaxSheets = [
  sheet(
    'C500',
    { fp32: 18, tf32: 120, fp16: 240, bf16: 240, int8: 480 },
    1800,
    'memory',
    'others say 245/490 and 1550',
  ),
  sheet('C550', { fp16: 280, bf16: 280, int8: 560 }, 1800, 'third party', 'compute from memory'),
  sheet('N260', {}, null, 'third party', 'no compute figure found'),
]
