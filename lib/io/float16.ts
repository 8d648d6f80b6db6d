/** Every number of 16 bits (IEEE 754 binary16) as float32, which holds them all; made at first use. */
let halves: Float32Array | undefined

function halfTable(): Float32Array {
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    const sign = bits & 0x8000 ? -1 : 1
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
    return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24)
  })
}

/** Numbers of 16 bits (IEEE 754 binary16) as float32. */
export function halfToFloat(bits: Uint16Array): Float32Array {
  halves ??= halfTable()
  const floats = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) floats[i] = halves[bits[i]!]!
  return floats
}

/** bfloat16: the upper half of a float32. */
export function bfloatToFloat(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16
  return new Float32Array(words.buffer)
}
