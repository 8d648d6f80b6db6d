/** A dense float32 array, row-major, channels last. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Class numbers, one per sample. */
export interface Labels {
  readonly shape: readonly [n: number]
  readonly data: Int32Array | Uint8Array
}
