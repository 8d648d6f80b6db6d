import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, checkSizes } from '../shape'
import { call, type Operand, typeOf } from './call'
import { type Axes, letters } from './convolution'
import type { Attributes, OpDefinition } from './op'
import type { OpOptions } from './options'
import { checkPoolGradient, poolLetters } from './pool'

/** An op that makes images of any size that is asked for, and its gradient, over so many axes. */
export interface SizedOps {
  readonly axes: Axes
  readonly forward: OpDefinition
  readonly backward: OpDefinition
}

/** Those of a family, `name1d` to `name3d`. Their steps' attributes are those of the call; the sizes are for the shape rules only. */
export function sizedFamily(family: string): { readonly 1: SizedOps; readonly 2: SizedOps; readonly 3: SizedOps } {
  return { 1: sizedOps(family, 1), 2: sizedOps(family, 2), 3: sizedOps(family, 3) }
}

function sizedOps(family: string, axes: Axes): SizedOps {
  const name = `${family}${axes}d`
  const forward: OpDefinition = {
    name,
    inputs: ['x'],
    outputs: ['y'],
    shapeAttributes: ['size'],
    infer: ([x], attributes, label) => [{ shape: resultOf(axes, x!, attributes.size as number[], label), dtype: 'float32' }],
    gradient({ inputs: [x], attributes: { size, ...rest }, label }, [dy]) {
      return [call(backward, [dy!], { ...rest, shape: x!.shape.slice(1) as number[] }, { name: label })[0] as Value]
    },
  }
  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy'],
    outputs: ['dx'],
    shapeAttributes: ['shape'],
    infer([dy], attributes, label) {
      checkRank(dy!.shape, poolLetters(axes), label, 'dy')
      const dx: TensorType = { shape: [dy!.shape[0]!, ...(attributes.shape as number[])], dtype: 'float32' }
      checkPoolGradient(dy!, resultOf(axes, dx, dy!.shape.slice(1, -1) as number[], label), label)
      return [dx]
    },
  }
  return { axes, forward, backward }
}

function resultOf(axes: Axes, x: TensorType, size: readonly number[], label: string): TensorType['shape'] {
  checkRank(x.shape, letters[axes].image, label, 'input')
  return [x.shape[0]!, ...size, x.shape.at(-1)!]
}

/** Calls the op; `attributes` gives those of its step from the label. Options are checked there. */
export function toSize(
  { axes, forward }: SizedOps,
  x: Operand,
  size: unknown,
  options: OpOptions,
  attributes: (label: string) => Attributes,
): Operand {
  const label = labelOf(forward.name, options?.name)
  const own = attributes(label)
  typeOf(x, label, 'input')
  const { runtime, name } = options
  return call(forward, [x], { ...own, size: checkSizes(size, axes, label, 'size') }, { runtime, name })[0]!
}

/** Calls its gradient. */
export function toSizeBackward(
  { axes, backward }: SizedOps,
  dy: Operand,
  x: Operand,
  size: unknown,
  options: OpOptions,
  attributes: (label: string) => Attributes,
): { dx: Operand } {
  const label = labelOf(backward.name, options?.name)
  const own = attributes(label)
  const image = typeOf(x, label, 'input')
  checkPoolGradient(typeOf(dy, label, 'dy'), resultOf(axes, image, checkSizes(size, axes, label, 'size'), label), label)
  const { runtime, name } = options
  return { dx: call(backward, [dy], { ...own, shape: image.shape.slice(1) as number[] }, { runtime, name })[0]! }
}
