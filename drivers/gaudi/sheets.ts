import { sheet } from '../sheets.ts'

export const gaudiSheets = [
  sheet('HL-225', { bf16: 432, fp8: 865 }, 2450, 'third party'),
  sheet('HL-325', { bf16: 1835, fp8: 1835 }, 3700, 'third party'),
]
