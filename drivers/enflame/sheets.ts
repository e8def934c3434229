import { sheet } from '../sheets.ts'

const T20 = { fp32: 32, tf32: 128, fp16: 128, bf16: 128, int8: 256 }
const T21 = { fp32: 40, tf32: 160, fp16: 160, bf16: 160, int8: 320 }

export const enflameSheets = [
  sheet('T20', T20, 1600, 'memory'),
  sheet('T21', T21, 1600, 'memory'),
  sheet('S60', {}, 672, 'third party', 'bandwidth from memory, no compute figure found'),
  sheet('L300', {}, null, 'third party', 'no compute figure found'),
  sheet('L600', {}, 3600, 'memory', 'has native fp8, no compute figure found'),
]
