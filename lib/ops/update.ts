import type { Operand } from '../../binding'
import { ConvlaneError } from '../errors'
import { reference } from '../reference/index'
import { fromNative } from '../runtime/native'
import { runtimeName } from '../runtime/select'
import { elementCount, sameShape, shapeText } from '../shape'
import { checkTensor, type Tensor } from '../tensor'
import type { Attributes } from './op'
import type { OpOptions } from './options'

/** Runs an optimizer's step on copies of the parameter and its slots, and gives the copies. `tensors` has `param`, `grad` and the slots, all of one shape. */
export function runUpdate(
  op: string,
  tensors: Readonly<Record<string, Tensor>>,
  attributes: Attributes,
  scalars: Readonly<Record<string, number>>,
  options: OpOptions,
): Record<string, Tensor> {
  const runtime = runtimeName(options.runtime)
  const { shape } = tensors.param!
  for (const [name, tensor] of Object.entries(tensors)) {
    checkTensor(tensor, op, name)
    if (sameShape(tensor.shape, shape)) continue
    const message = `${op}: ${name} must have the parameter's shape ${shapeText(shape)}, received ${shapeText(tensor.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: tensor.shape })
  }

  const named = Object.entries(tensors)
  const flat = [elementCount(shape, op)]
  let results: [string, Float32Array][]
  if (runtime === 'native') {
    results = named.map(([name, { data }]) => [name, data.slice()])
    const operands = results.map(([name], offset): [string, Operand] => [
      name,
      { space: 'buffer', offset, dtype: 'float32', shape: flat, batched: false },
    ])
    const step = { op, ...attributes, ...Object.fromEntries(operands) }
    const buffers = results.map(([, data]) => data)
    fromNative((binding) => binding.execute(step, buffers, scalars))
  } else {
    const wide = named.map(([name, { data }]) => [name, { data: Float64Array.from(data), shape: flat }] as const)
    reference[op]!({ operands: Object.fromEntries(wide), attributes, scalars })
    results = wide.map(([name, { data }]) => [name, Float32Array.from(data)])
  }
  return Object.fromEntries(
    results.filter(([name]) => name !== 'grad' && name !== 'value').map(([name, data]) => [name, { shape: [...shape], data }]),
  )
}
