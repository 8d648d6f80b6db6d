import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { expect } from 'vitest'
import { firstOrder, inverse, permuted } from '../../lib/convert/onnx/arrange'
import type { Model, Tensor } from '../../lib/index'
import type { AnyTensor } from '../../lib/tensor'
import { randomTensor } from '../support/models'

function inOrder({ shape, data }: Tensor, order: readonly number[]): Tensor {
  return { shape: order.map((axis) => shape[axis]!), data: permuted(data as Float32Array, shape, order) }
}
/** A tensor with the channels before the image. */
export const channelsFirst = (x: Tensor): Tensor => inOrder(x, firstOrder(x.shape.length))
/** And back. */
export const channelsLast = (x: Tensor): Tensor => inOrder(x, inverse(firstOrder(x.shape.length)))

/** A file in ONNX Runtime, which gives what its outputs are for its inputs, in order, until it is closed. */
export async function openOnnx(file: string | Uint8Array) {
  const bytes = typeof file === 'string' ? readFileSync(file) : file
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 })
  const run = async (inputs: readonly AnyTensor[]): Promise<Tensor[]> => {
    const feeds = session.inputNames.map((name, index) => {
      const { data, shape } = inputs[index]!
      return [name, new OrtTensor(data instanceof Uint8Array ? 'uint8' : 'float32', data as Float32Array, shape)]
    })
    const results = await session.run(Object.fromEntries(feeds))
    return session.outputNames.map((name) => {
      const { dims, data } = results[name]!
      return { shape: [...dims], data: Float32Array.from(data as Float32Array) }
    })
  }
  return { run, close: () => session.release(), inputNames: session.inputNames, outputNames: session.outputNames }
}

/** What ONNX Runtime makes of a file, given its inputs in order. */
export async function runOnnx(file: string | Uint8Array, inputs: readonly AnyTensor[]): Promise<Tensor[]> {
  const { run, close } = await openOnnx(file)
  try {
    return await run(inputs)
  } finally {
    await close()
  }
}

/** Random inputs of a model, in order. */
export const samplesFor = (model: Model, n: number): Tensor[] =>
  model.architecture.inputs.map(({ shape }, index) => randomTensor([n, ...shape], index + 5))

/** What a model gives for its inputs in order. */
export async function predictAll(model: Model, x: readonly AnyTensor[]): Promise<Tensor[]> {
  const y: unknown = await model.predict((x.length === 1 ? x[0] : x) as never)
  return (Array.isArray(y) ? y : [y]) as Tensor[]
}

/** Expects numbers that are alike, to a share of the largest; NaN where NaN is. */
export function expectClose(got: readonly Tensor[], expected: readonly Tensor[], share: number): void {
  expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
  expected.forEach(({ data }, index) => {
    const other = got[index]!.data
    let [most, far] = [1e-3, 0]
    data.forEach((value, at) => {
      const distance = Object.is(value, other[at]!) ? 0 : Math.abs(value - other[at]!)
      if (Number.isFinite(value)) most = Math.max(most, Math.abs(value))
      if (!(distance <= far)) far = distance
    })
    expect(far / most).toBeLessThan(share)
  })
}
