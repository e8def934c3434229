/** 32 bits of a text (FNV-1a). Spreads names over the fleet; not for secrets. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** A number from 0 up to 1 that depends on nothing but its two arguments. */
export function randomAt(seed: number, step: number): number {
  return mix(seed ^ Math.imul(step | 0, 0x9e3779b1)) / 2 ** 32
}

// The finaliser of MurmurHash3: each bit of the input moves half of those of the output.
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
