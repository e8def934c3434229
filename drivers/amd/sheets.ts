import { sheet } from '../sheets.ts'

export const amdSheets = [
  sheet('MI250', { fp32: 45.3, fp16: 362.1, bf16: 362.1, int8: 362.1 }, 3277, 'third party'),
  sheet('MI250X', { fp32: 47.9, fp16: 383, bf16: 383, int8: 383 }, 3277, 'third party'),
  sheet(
    'MI300X',
    { fp32: 163.4, tf32: 653.7, fp16: 1307.4, bf16: 1307.4, int8: 2614.9, fp8: 2614.9 },
    5325,
    'third party',
  ),
]
