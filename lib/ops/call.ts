import type { Operand as StepOperand } from '../../binding'
import { ConvlaneError } from '../errors'
import { apply, labelOf } from '../graph/apply'
import { type Dtype, type TensorType, Value } from '../graph/value'
import { reference } from '../reference/index'
import { fromNative } from '../runtime/native'
import { runtimeName } from '../runtime/select'
import { elementCount } from '../shape'
import { type AnyTensor, allocate, checkArray } from '../tensor'
import type { Attributes, OpDefinition } from './op'
import type { OpOptions } from './options'
import { inputNames, makeStep } from './step'

/** What user functions take: a tensor, and the op runs at once; or a value, and the op is added to its graph. */
export type Operand = AnyTensor | Value

const arrays = { float32: 'Float32Array', int32: 'Int32Array', uint8: 'Uint8Array' } as const

/**
 * Checks an argument of a user function and gives its type. Throws `INVALID_TENSOR`, `INVALID_DTYPE`, `INVALID_SHAPE`.
 * `dtypes`: what the op takes.
 */
export function typeOf(x: unknown, label: string, what: string, dtypes: readonly Dtype[] = ['float32']): TensorType {
  if (!(x instanceof Value)) {
    const classes = dtypes.map((dtype) => arrays[dtype])
    const { shape, data } = checkArray(x, label, what, classes)
    return { shape, dtype: dtypes[classes.indexOf(arrayName(data))]! }
  }
  if (dtypes.includes(x.dtype)) return x
  const message = `${label}: ${what} must be ${dtypes.join(' or ')}, received ${x.dtype}`
  throw new ConvlaneError('INVALID_DTYPE', message, { expected: dtypes, received: x.dtype })
}

export interface CallExtras {
  /** Outputs to compute, by number, when run at once. Default: all. */
  readonly wanted?: readonly number[]
  readonly scalars?: Readonly<Record<string, number>>
}

/**
 * Calls an op on arguments that `typeOf` has checked: adds a node when they are values, runs it when they are tensors. Gives the outputs in order.
 * Throws what the op's shape rule throws, and `INVALID_ARGUMENT` when tensors and values are mixed.
 */
export function call(
  op: OpDefinition,
  inputs: readonly (Operand | undefined)[],
  attributes: Attributes,
  options: OpOptions,
  extras: CallExtras = {},
): readonly Operand[] {
  const values = inputs.filter((input) => input instanceof Value).length
  if (values === 0 && inputs.length > 0) return execute(op, inputs as (AnyTensor | undefined)[], attributes, options, extras)
  if (values === inputs.filter((input) => input !== undefined).length)
    return apply(op, inputs as (Value | undefined)[], attributes, options.name)
  throw new ConvlaneError('INVALID_ARGUMENT', `${labelOf(op.name, options?.name)}: takes tensors or values of a graph, not both`)
}

/** Runs one op now: on the native core, or on the reference with results rounded to float32 at the end. */
export function execute(
  op: OpDefinition,
  inputs: readonly (AnyTensor | undefined)[],
  attributes: Attributes,
  options: OpOptions,
  { wanted, scalars = {} }: CallExtras = {},
): AnyTensor[] {
  const label = labelOf(op.name, options?.name)
  const runtime = runtimeName(options.runtime)
  const types = op.infer(
    inputs.map((input) => input && { shape: input.shape, dtype: dtypeOf(input.data) }),
    attributes,
    label,
  )
  const names = inputNames(op, inputs.length)
  const given = inputs.flatMap((input, index) => (input ? [{ name: names[index]!, ...input }] : []))
  const made = types.flatMap((type, index) => {
    if (wanted && !wanted.includes(index)) return []
    const shape = [...(type.shape as readonly number[])]
    const count = elementCount(shape, `${label}: result`)
    return [{ name: op.outputs[index]!, shape, data: allocate(type.dtype === 'int32' ? Int32Array : Float32Array, count, label) }]
  })

  if (runtime === 'native') {
    const all = [...given, ...made]
    const operands = all.map(({ name, shape, data }, offset): [string, StepOperand] => [
      name,
      { space: 'buffer', offset, dtype: dtypeOf(data), shape, batched: false },
    ])
    const step = makeStep(op, attributes, Object.fromEntries(operands))
    const buffers = all.map(({ data }) => data)
    fromNative((binding) => binding.execute(step, buffers, scalars))
  } else {
    const wide = made.map((result) => ({ ...result, data: allocate(Float64Array, result.data.length, label) }))
    const operands = Object.fromEntries([...given, ...wide].map(({ name, shape, data }) => [name, { shape, data }]))
    reference[op.name]!({ operands, attributes, scalars })
    made.forEach((result, index) => {
      result.data.set(wide[index]!.data)
    })
  }
  return made.map(({ shape, data }) => ({ shape, data }))
}

/** By tag rather than class: the array may come from another realm. */
function arrayName(data: AnyTensor['data']): (typeof arrays)[Dtype] {
  return data[Symbol.toStringTag] as (typeof arrays)[Dtype]
}

function dtypeOf(data: AnyTensor['data']): Dtype {
  return (Object.keys(arrays) as Dtype[]).find((dtype) => arrays[dtype] === arrayName(data))!
}
