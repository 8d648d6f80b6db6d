import { ConvlaneError } from '../errors'
import { labelOf, nodeOf } from '../graph/apply'
import type { Value } from '../graph/value'
import { checkNumber, elementCount, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import { fillOp } from './fill'
import { multiply } from './multiply'
import type { OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'
import { reshape } from './reshape'

export const scaleOp: OpDefinition = {
  name: 'scale',
  inputs: ['x', 's?'],
  outputs: ['y'],
  inPlace: true,
  infer([x, s], _, label) {
    if (!s || (s.shape[0] !== null && elementCount(s.shape, label) === 1)) return [x!]
    throw new ConvlaneError('INVALID_SHAPE', `${label}: s must have one element, received ${shapeText(s.shape)}`, { received: s.shape })
  },
  gradient({ inputs: [x, s], attributes }, [dy], wanted) {
    const factor = attributes.factor as number
    const dx = wanted[0] ? scaleBy(dy!, s, factor) : undefined
    return [dx, wanted[1] ? scale(reshape(sum(multiply(dy!, x!)), s!.shape), factor) : undefined]
  },
}

/** The sum of all elements, `[1]`. */
function sum(x: Value): Value {
  const batched = x.shape[0] === null
  return biasGradient(reshape(x, batched ? [null, elementCount(x.shape, 'sum'), 1] : [elementCount(x.shape, 'sum'), 1]))
}

/** x · s · factor, without a step where that is x, and without an operand where s is known. */
export function scaleBy(x: Value, s: Value | undefined, factor = 1): Value {
  const known = s === undefined ? 1 : knownScalar(s)
  if (known === undefined) return call(scaleOp, [x, s], { factor }, {})[0] as Value
  return known * factor === 1 ? x : scale(x, known * factor)
}

function knownScalar(s: Value): number | undefined {
  if ('kind' in s.origin) return s.origin.kind === 'one' ? 1 : undefined
  const node = nodeOf(s)!
  if (node.op === fillOp) return node.attributes.value as number
  const inner = node.op === scaleOp && !node.inputs[1] ? knownScalar(node.inputs[0]!) : undefined
  return inner === undefined ? undefined : inner * (node.attributes.factor as number)
}

/** x times a finite number, or times a tensor of one element. Throws `INVALID_ARGUMENT`, and `INVALID_SHAPE` for a factor of more elements. */
export function scale(x: Tensor, factor: number | Tensor, options?: OpOptions): Tensor
export function scale(x: Value, factor: number | Value, options?: OpOptions): Value
export function scale(x: Operand, factor: number | Operand, options: OpOptions = {}): Operand {
  const label = labelOf('scale', options?.name)
  checkOptions(options, [], label)
  typeOf(x, label, 'input')
  if (typeof factor === 'object') {
    typeOf(factor, label, 'factor')
    return call(scaleOp, [x, factor], { factor: 1 }, options)[0]!
  }
  return call(scaleOp, [x, undefined], { factor: checkNumber(factor, label, 'factor') }, options)[0]!
}
