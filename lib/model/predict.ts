import { allocate, copyOf, type Tensor } from '../tensor'
import type { Column } from '../train/data'
import { pipeline } from '../train/pipeline'
import type { Architecture, End } from './architecture'
import type { Engine, Plan } from './engine'
import type { RunOutputs } from './runner'

/** Batch sizes that programs without training are made for: few, so that few are made. */
const capacities = [1, 16, 256]

/** Elements of one layer's output that a run may have, about: it keeps arenas of large images small. */
const ELEMENTS = 2 ** 23

/** Largest batch of a run without training. */
export function largestChunk({ inputs, calls }: Architecture): number {
  const sizes = [...inputs.map(({ shape }) => shape), ...calls.map(({ shape }) => shape.slice(1) as number[])]
  const largest = Math.max(...sizes.map((shape) => shape.reduce((product, size) => product * size, 1)))
  return Math.max(1, Math.min(capacities.at(-1)!, Math.floor(ELEMENTS / largest)))
}

/** The capacity that n samples take: the smallest that holds them, or the largest there is. */
export function capacityFor(n: number, chunk: number): number {
  return Math.min(chunk, capacities.find((capacity) => capacity >= n) ?? chunk)
}

/** Runs the plan over the samples, `capacity` of them at a time, and joins what comes out. */
export async function predict(
  engine: Engine,
  plan: Plan,
  capacity: number,
  samples: { readonly n: number; readonly x: readonly Column[] },
  ends: readonly End[],
): Promise<Tensor[]> {
  const { n } = samples
  // A run that starts at once copies its samples itself.
  const isCopied = n <= capacity && engine.free(plan)
  const columns = samples.x.map(({ data }) => ({ data: isCopied ? data : copyOf(data), row: data.length / n }))
  const run = (start: number) => {
    const count = Math.min(capacity, n - start)
    const inputs = columns.map(({ data, row }) => ({ data: data.subarray(start * row, (start + count) * row) }))
    return engine.run(plan, { n: count, inputs })
  }
  if (n <= capacity) {
    const results = await run(0)
    return ends.map(({ shape }, index) => ({ shape: [n, ...shape], data: results[index] as Float32Array }))
  }
  const outputs = ends.map(({ shape }) => {
    const row = shape.reduce((product, size) => product * size, 1)
    return { shape: [n, ...shape], data: allocate(Float32Array, n * row, 'predict'), row }
  })
  const join = (results: RunOutputs, start: number) => {
    outputs.forEach(({ data, row }, index) => {
      data.set(results[index]!, start * row)
    })
  }
  const starts = Array.from({ length: Math.ceil(n / capacity) }, (_, index) => index * capacity)
  await pipeline(starts, run, join, () => false)
  return outputs.map(({ shape, data }) => ({ shape, data }))
}
