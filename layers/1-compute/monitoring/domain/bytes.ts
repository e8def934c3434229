/** What the store holds is not what was written: damaged, or from a newer version. */
export class DamagedReadings extends Error {
  constructor(why: string) {
    super(`stored readings cannot be read: ${why}`)
    this.name = 'DamagedReadings'
  }
}

/** Codes beyond it would lose digits when doubled for their sign; nothing a chip reports comes near. */
export const MOST_CODE = 2 ** 51

const MOST_VARINT_BYTES = 8

/** Grows as needed and is used again: `take` copies what was written and empties it. */
export class ByteWriter {
  #bytes = new Uint8Array(512)
  #length = 0

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes[this.#length++] = value
  }

  /** Seven bits a byte, the lowest first. @param value whole, 0 to 2^53 */
  unsigned(value: number): void {
    let rest = value
    // Bitwise operators take 32 bits only; larger values are rare (byte counts, counters).
    while (rest >= 2 ** 31) {
      this.byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.byte((rest & 127) | 128)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Small magnitudes become small numbers, whatever their sign. */
  signed(value: number): void {
    this.unsigned(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  take(): Uint8Array {
    const copy = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return copy
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws DamagedReadings at the end of the bytes */
  byte(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) throw new DamagedReadings('they end too early')
    this.#at += 1
    return value
  }

  /** @throws DamagedReadings at the end of the bytes, or for more than a whole number can hold */
  unsigned(): number {
    let value = 0
    let scale = 1
    for (let read = 0; read < MOST_VARINT_BYTES; read += 1) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw new DamagedReadings('a number is too large')
  }

  signed(): number {
    const value = this.unsigned()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** @throws DamagedReadings unless everything was read */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new DamagedReadings('there is more than was announced')
  }
}
