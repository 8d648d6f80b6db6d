import type { Value } from '../graph/value'
import { div } from './arithmetic'
import { call, type Operand } from './call'
import { equal } from './compare'
import { multiply } from './multiply'
import type { OpDefinition } from './op'
import { reshape } from './reshape'
import { checkReduction, type Reduce, type ReduceOptions, reducedShape, stretchesOf, sumOver } from './sum'
import { transpose } from './transpose'

/** `axes` as in `sumOp`. */
function extremeOp(name: string): OpDefinition {
  return {
    name,
    inputs: ['x'],
    outputs: ['y'],
    shapeAttributes: ['keepDims'],
    infer: ([x], attributes) => [{ shape: reducedShape(x!.shape, attributes), dtype: 'float32' }],
    gradient({ inputs, outputs, attributes }, [dy]) {
      const x = inputs[0]!
      const [first, last] = attributes.axes as [number, number]
      const kept = reducedShape(x.shape, attributes, true)
      const chosen = equal(x, reshape(outputs[0]!, kept))
      const axes = Array.from({ length: last - first + 1 }, (_, index) => first + index)
      const count = sumOver(chosen, axes, { keepDims: true, mean: false }) as Value
      return [multiply(chosen, div(reshape(dy!, kept), count))]
    },
  }
}

export const maxOp = extremeOp('max')
export const minOp = extremeOp('min')

function extreme(op: OpDefinition): Reduce {
  return ((x: Operand, options: ReduceOptions = {}) => {
    const { axes, keepDims } = checkReduction(op.name, x, options)
    const rest = { runtime: options.runtime, name: options.name }
    if (axes.length === 0) return reshape(x as Value, [], rest)
    const stretches = stretchesOf(axes)
    if (stretches.length === 1) return call(op, [x], { axes: stretches[0]!, keepDims }, rest)[0]!

    // All axes at once, so that those that are alike share the gradient: they are put together first, in front where the batch is among them.
    const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
    const [order, first] = axes[0] === 0 ? [[...axes, ...kept], 0] : [[...kept, ...axes], kept.length]
    const together = transpose(x as Value, order, rest)
    const y = call(op, [together], { axes: [first, first + axes.length - 1], keepDims: false }, rest)[0]!
    return keepDims
      ? reshape(
          y as Value,
          x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
          rest,
        )
      : y
  }) as Reduce
}

/**
 * The largest over axes; NaN where there is one. Those that are equal to it share the gradient alike, as in PyTorch's amax.
 * Throws `INVALID_ARGUMENT` for axes that there aren't.
 */
export const max = extreme(maxOp)
/** The smallest over axes; NaN where there is one. Those that are equal to it share the gradient alike, as in PyTorch's amin. Throws as `max` does. */
export const min = extreme(minOp)
