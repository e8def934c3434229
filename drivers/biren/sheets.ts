import { sheet } from '../sheets.ts'

export const birenSheets = [
  sheet('BR100', { fp32: 256, tf32: 512, bf16: 1024, int8: 2048 }, 1640, 'third party', 'tf32 is TF32+'),
  sheet('BR104', { fp32: 128, tf32: 256, bf16: 512, int8: 1024 }, 819, 'third party', 'tf32 is TF32+'),
  sheet('106M', {}, null, 'third party', 'no compute figure found'),
  sheet('166M', {}, null, 'third party', 'no compute figure found'),
]
