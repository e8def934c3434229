/**
 * Instruction sets that decide which inference kernels a processor can run: our name <- the kernel's flag.
 * Flags as Linux prints them in `/proc/cpuinfo` (x86 `flags`, ARM `Features`, LoongArch `Features`).
 */
const BY_FLAG: Readonly<Record<string, readonly string[]>> = {
  sse4_2: ['sse4_2'],
  avx: ['avx'],
  f16c: ['f16c'],
  fma: ['fma'],
  avx2: ['avx2'],
  avx_vnni: ['avx_vnni'],
  avx_vnni_int8: ['avx_vnni_int8'],
  avx512f: ['avx512f'],
  avx512bw: ['avx512bw'],
  avx512vl: ['avx512vl'],
  avx512_vnni: ['avx512_vnni'],
  avx512vbmi: ['avx512_vbmi'],
  avx512_bf16: ['avx512_bf16'],
  avx512_fp16: ['avx512_fp16'],
  amx_tile: ['amx_tile'],
  amx_int8: ['amx_int8'],
  amx_bf16: ['amx_bf16'],
  asimd: ['asimd', 'neon'],
  neon: ['neon'],
  asimdhp: ['fp16'],
  asimddp: ['dotprod'],
  i8mm: ['i8mm'],
  bf16: ['bf16'],
  sve: ['sve'],
  sve2: ['sve2'],
  sme: ['sme'],
  lsx: ['lsx'],
  lasx: ['lasx'],
}

/** Known instruction sets among a processor's flags, in our names, sorted. */
export function featuresOf(flags: string | null | undefined, architecture: string): string[] {
  const found = new Set<string>()
  for (const flag of flags?.toLowerCase().split(/\s+/) ?? []) {
    for (const name of (Object.hasOwn(BY_FLAG, flag) ? BY_FLAG[flag] : undefined) ?? []) found.add(name)
  }
  // AArch64 cannot be without Advanced SIMD, so the architecture alone proves it where no flags can be read.
  if (architecture === 'arm64') for (const name of ['asimd', 'neon']) found.add(name)
  return [...found].sort()
}
