import type { ProductSheet } from '@medley/fleet'

const DATASHEET = 'vendor datasheet, dense rates without sparsity'

function sheet(
  product: string,
  tera: { fp32: number; fp16: number; bf16: number; int8: number; fp8: number | null },
  bandwidthGigabytes: number,
  confidence: ProductSheet['confidence'],
  form: string,
): ProductSheet {
  const peaks = Object.entries(tera).flatMap(([dtype, teraops]) =>
    teraops === null ? [] : [{ dtype, teraops, sparse: false }],
  )
  return {
    product,
    peaks,
    bandwidthBytesPerSecond: bandwidthGigabytes * 1e9,
    source: `${DATASHEET}; ${form}`,
    confidence,
  }
}

/** Nominal peaks, shown beside the measured ones and never used in a score. */
export const nvidiaSheets: readonly ProductSheet[] = [
  sheet('A100-SXM4-40GB', { fp32: 19.5, fp16: 312, bf16: 312, int8: 624, fp8: null }, 1555, 'medium', 'SXM4 module'),
  sheet('A100-SXM4-80GB', { fp32: 19.5, fp16: 312, bf16: 312, int8: 624, fp8: null }, 2039, 'medium', 'SXM4 module'),
  sheet('A800-SXM4-80GB', { fp32: 19.5, fp16: 312, bf16: 312, int8: 624, fp8: null }, 2039, 'medium', 'SXM4 module'),
  sheet(
    'H100 80GB HBM3',
    { fp32: 66.9, fp16: 989.4, bf16: 989.4, int8: 1978.9, fp8: 1978.9 },
    3350,
    'medium',
    'SXM5 module, not the PCIe card',
  ),
  sheet(
    'H800',
    { fp32: 66.9, fp16: 989.4, bf16: 989.4, int8: 1978.9, fp8: 1978.9 },
    3350,
    'medium',
    'SXM5 module, not the PCIe card',
  ),
  sheet(
    'H200',
    { fp32: 66.9, fp16: 989.4, bf16: 989.4, int8: 1978.9, fp8: 1978.9 },
    4800,
    'medium',
    'SXM5 module, not the PCIe card',
  ),
  sheet(
    'H20',
    { fp32: 44, fp16: 148, bf16: 148, int8: 296, fp8: 296 },
    4000,
    'medium',
    'SXM5 module, not the PCIe card',
  ),
  sheet(
    'GeForce RTX 4090',
    { fp32: 82.6, fp16: 165.2, bf16: 165.2, int8: 660.6, fp8: 330.3 },
    1008,
    'low',
    'PCIe card',
  ),
]
