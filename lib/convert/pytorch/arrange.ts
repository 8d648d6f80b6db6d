/** Elements between two looks at what else waits. */
const SLICE = 2 ** 20

/**
 * The elements of a tensor with its axes in another order: axis i of the result is `axes[i]` of the tensor. In slices, so that the event loop stays free.
 * @param shape of `data`
 */
export async function transposed(data: Float32Array, shape: readonly number[], axes: readonly number[]): Promise<Float32Array> {
  if (axes.every((axis, index) => axis === index)) return data
  const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const sizes = axes.map((axis) => shape[axis]!)
  const strides = axes.map((axis) => steps[axis]!)
  const [length, stride] = [sizes.at(-1)!, strides.at(-1)!]
  const at = sizes.map(() => 0)
  const result = new Float32Array(data.length)
  let from = 0
  for (let to = 0, done = 0; to < result.length; to += length) {
    for (let i = 0; i < length; i++) result[to + i] = data[from + i * stride]!
    for (let axis = sizes.length - 2; axis >= 0; axis--) {
      from += strides[axis]!
      if (++at[axis]! < sizes[axis]!) break
      from -= sizes[axis]! * strides[axis]!
      at[axis] = 0
    }
    done += length
    if (done < SLICE) continue
    done = 0
    await pause()
  }
  return result
}

/** Rows of `width` elements: row i of the result is row `order[i]`, or the other way round where `back` says so. */
export async function reordered(data: Float32Array, order: Uint32Array, back: boolean): Promise<Float32Array> {
  const width = data.length / order.length
  const result = new Float32Array(data.length)
  for (let i = 0, done = 0; i < order.length; i++, done += width) {
    const [from, to] = back ? [i, order[i]!] : [order[i]!, i]
    result.set(data.subarray(from * width, (from + 1) * width), to * width)
    if (done < SLICE) continue
    done = 0
    await pause()
  }
  return result
}

const pause = () => new Promise<void>((resume) => setImmediate(resume))
