/** Bytes that one turn of each unrolled loop walks over; slices are whole pages, so a multiple of it. */
const STREAM_BLOCK = 256

/**
 * WebAssembly text of the three streaming kernels over a shared memory.
 *
 * SIMD with as many accumulators as one block has vectors: the loop then waits for memory, not for an addition.
 * `memoryPages` is the declared size of the shared memory in pages of 64 KiB.
 */
export function streamModule(memoryPages: number): string {
  const vectors = Array.from({ length: STREAM_BLOCK / 16 }, (_, index) => index)
  const accumulators = vectors.map((index) => `(local $s${index} v128)`).join(' ')
  const reads = vectors.map(
    (index) =>
      `(local.set $s${index} (f64x2.add (local.get $s${index}) (v128.load offset=${index * 16} (local.get $a))))`,
  )
  const sum = vectors.slice(1).reduce((text, index) => `(f64x2.add ${text} (local.get $s${index}))`, '(local.get $s0)')
  const triads = vectors.map(
    (index) =>
      `(v128.store offset=${index * 16} (local.get $a) (f64x2.add (v128.load offset=${index * 16} (local.get $b))
        (f64x2.mul (local.get $k) (v128.load offset=${index * 16} (local.get $c)))))`,
  )
  const fills = vectors.map((index) => `(v128.store offset=${index * 16} (local.get $a) (local.get $k))`)
  return `(module
  (import "env" "memory" (memory ${memoryPages} ${memoryPages} shared))
  (func (export "fill") (param $a i32) (param $end i32) (param $value f64) (local $k v128)
    (local.set $k (f64x2.splat (local.get $value)))
    (loop $next ${fills.join('\n')} ${step('a')}))
  (func (export "read") (param $a i32) (param $end i32) (result f64) ${accumulators}
    (loop $next ${reads.join('\n')} ${step('a')})
    (local.set $s0 ${sum})
    (f64.add (f64x2.extract_lane 0 (local.get $s0)) (f64x2.extract_lane 1 (local.get $s0))))
  (func (export "triad") (param $a i32) (param $end i32) (param $b i32) (param $c i32) (param $value f64)
    (local $k v128)
    (local.set $k (f64x2.splat (local.get $value)))
    (loop $next ${triads.join('\n')}
      (local.set $b (i32.add (local.get $b) (i32.const ${STREAM_BLOCK})))
      (local.set $c (i32.add (local.get $c) (i32.const ${STREAM_BLOCK})))
      ${step('a')}))
)`
}

/** Moves the pointer on and goes round while it is below `$end`; unsigned, as memories may pass 2 GiB. */
function step(pointer: string): string {
  return `(local.set $${pointer} (i32.add (local.get $${pointer}) (i32.const ${STREAM_BLOCK})))
    (br_if $next (i32.lt_u (local.get $${pointer}) (local.get $end)))`
}
