import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkNumber, shapeText } from '../shape'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const normalizeOp: OpDefinition = {
  name: 'normalize',
  inputs: ['x'],
  outputs: ['y'],
  infer([x], attributes, label) {
    for (const name of ['scale', 'offset']) {
      const { length } = attributes[name] as number[]
      if (length === 1 || length === x!.shape.at(-1)) continue
      const message = `${label}: ${name} must be one number or one per channel of ${shapeText(x!.shape)}, received ${length}`
      throw new ConvlaneError('INVALID_SHAPE', message, { expected: x!.shape.at(-1), received: length })
    }
    return [{ shape: x!.shape, dtype: 'float32' }]
  },
  gradient: ({ attributes, label: name }, [dy]) => [call(normalizeOp, [dy], { ...attributes, offset: [0] }, { name })[0] as Value],
}

export interface NormalizeOptions extends OpOptions {
  /** One number, or one per channel. Default 1. */
  readonly scale?: number | readonly number[] | undefined
  /** One number, or one per channel. Default 0. */
  readonly offset?: number | readonly number[] | undefined
}

/** x · scale + offset, `x [..., C]` of bytes or float32 → float32. Throws `INVALID_SHAPE` for a wrong number of scales, `INVALID_ARGUMENT`. */
export function normalize(x: Tensor | { readonly shape: readonly number[]; readonly data: Uint8Array }, options?: NormalizeOptions): Tensor
export function normalize(x: Value, options?: NormalizeOptions): Value
export function normalize(x: AnyTensor | Value, options: NormalizeOptions = {}): Operand {
  const label = labelOf('normalize', options?.name)
  checkOptions(options, ['scale', 'offset'], label)
  const numbers = (value: number | readonly number[], argument: string): number[] =>
    (Array.isArray(value) ? value : [value]).map((number) => checkNumber(number, label, argument))
  const attributes = { scale: numbers(options.scale ?? 1, 'scale'), offset: numbers(options.offset ?? 0, 'offset') }
  typeOf(x, label, 'input', ['uint8', 'float32'])
  return call(normalizeOp, [x], attributes, options)[0]!
}
