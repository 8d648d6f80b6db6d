import { augmentAttributes } from '../augment/attributes'
import { checkTransformations, type ImageTransformation, type RandomOrderTransformation } from '../augment/transformations'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkInteger, shapeText } from '../shape'
import type { AnyTensor, Tensor } from '../tensor'
import { call, type Operand, typeOf } from './call'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const augmentOp: OpDefinition = {
  name: 'augment',
  inputs: ['x'],
  outputs: ['y'],
  scalars: ['seed', 'step'],
  infer([x], attributes, label) {
    const { shape } = x!
    const refuse = (message: string, expected: unknown) =>
      new ConvlaneError('INVALID_SHAPE', `${label}: ${message}`, { expected, received: shape })
    if (shape.length !== 4) throw refuse(`takes images [N, H, W, C], received ${shapeText(shape)}`, '[N, H, W, C]')
    const [, height, width, channels] = shape as readonly [number, number, number, number]
    for (let i = 0; i < (attributes.count as number); i++) {
      const [kind, value, most] = [attributes[`kind${i}`], attributes[`value${i}`], attributes[`most${i}`]] as unknown as [
        string,
        number[]?,
        number[]?,
      ]
      if (kind === 'saturation' && channels !== 3 && channels !== 4) {
        throw refuse(`saturation takes images of 3 or 4 channels, received ${shapeText(shape)}`, '3 or 4 channels')
      }
      if (value && value.length !== 1 && value.length !== channels) {
        throw refuse(
          `value of ${kind} must be one number or one for each channel of ${shapeText(shape)}, received ${value.length}`,
          channels,
        )
      }
      if (most && attributes[`mode${i}`] === 'reflect' && (most[0]! >= height || most[1]! >= width)) {
        throw refuse(`${kind} with mode 'reflect' must be by less than the size of ${shapeText(shape)}, received [${most}]`, [
          height - 1,
          width - 1,
        ])
      }
    }
    return [{ shape, dtype: 'float32' }]
  },
}

export interface AugmentOptions extends OpOptions {
  /** For tensors; in a graph it is a scalar of the run. An integer below 2⁵³. Default 0. */
  readonly seed?: number | undefined
  /** For tensors; in a graph it is a scalar of the run. Default 0. */
  readonly step?: number | undefined
  /** Number of the first transformation: each draws from a stream of its own. Default 0. */
  readonly stream?: number | undefined
}

/** Most streams: 64 counters of each have room in a word of 31 bits. */
export const MOST_STREAMS = 2 ** 24

/** Checks the options that what draws random numbers has. Throws INVALID_ARGUMENT. */
export function drawOptions({ seed, step, stream }: AugmentOptions, label: string): { scalars: Record<string, number>; stream: number } {
  const count = (value: number | undefined, name: string) => checkInteger(value ?? 0, label, name, 0, Number.MAX_SAFE_INTEGER)
  return {
    scalars: { seed: count(seed, 'seed'), step: count(step, 'step') },
    stream: checkInteger(stream ?? 0, label, 'stream', 0, MOST_STREAMS / 2),
  }
}

/**
 * Images `[N, H, W, C]` of bytes or float32, each changed at random as the transformations say, in their order → float32, in the numbers of the data. What is
 * drawn follows from seed, step, the image's number in the batch and the transformation's number in the list alone (Philox4x32-10). No gradient.
 * @throws INVALID_SHAPE for other shapes, INVALID_ARGUMENT
 */
export function augment(
  x: Tensor | { readonly shape: readonly number[]; readonly data: Uint8Array },
  transformations: readonly (ImageTransformation | RandomOrderTransformation)[],
  options?: AugmentOptions,
): Tensor
export function augment(
  x: Value,
  transformations: readonly (ImageTransformation | RandomOrderTransformation)[],
  options?: AugmentOptions,
): Value
export function augment(
  x: AnyTensor | Value,
  transformations: readonly (ImageTransformation | RandomOrderTransformation)[],
  options: AugmentOptions = {},
): Operand {
  const label = labelOf('augment', options?.name)
  checkOptions(options, ['seed', 'step', 'stream'], label)
  const list = checkTransformations(transformations, label)
  if (list.some(({ kind }) => kind === 'mixup')) throw new ConvlaneError('INVALID_ARGUMENT', `${label}: mixup is an op of its own`)
  const { scalars, stream } = drawOptions(options, label)
  const { dtype } = typeOf(x, label, 'input', ['uint8', 'float32'])
  return call(augmentOp, [x], augmentAttributes(list, dtype === 'uint8', stream), options, { scalars })[0]!
}
