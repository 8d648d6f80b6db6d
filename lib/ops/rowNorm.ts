import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { SymbolicShape, TensorType, Value } from '../graph/value'
import { checkInteger, checkNumber, sameShape, shapeText } from '../shape'
import type { Tensor } from '../tensor'
import { type Activation, activate, checkActivation } from './activation'
import { call, type Operand, typeOf } from './call'
import { checkSameShape } from './elementwise'
import type { Attributes, OpDefinition } from './op'
import { checkOptions, type OpOptions } from './options'

export const float32 = (shape: SymbolicShape): TensorType => ({ shape, dtype: 'float32' })

/** The error of a gradient that is asked of statistics. */
export function withoutGradient(op: string, name: string | undefined, what: string): ConvlaneError {
  return new ConvlaneError('UNSUPPORTED', `${labelOf(op, name)}: ${what} no gradient`)
}

/** Throws `INVALID_SHAPE` for a value, where it is there, that doesn't have that shape. */
export function checkShapes(
  values: Readonly<Record<string, TensorType | undefined>>,
  shape: SymbolicShape,
  label: string,
  what: string,
): void {
  for (const [name, type] of Object.entries(values)) {
    if (!type || sameShape(type.shape, shape)) continue
    const message = `${label}: ${name} must have shape ${shapeText(shape)}, ${what}, received ${shapeText(type.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: shape, received: type.shape })
  }
}

/** What normalizations over the last axes differ in. */
export interface RowNormTraits {
  readonly name: string
  /** The mean is taken off, and there is a beta. */
  readonly centered: boolean
  readonly epsilon: number
}

export interface RowNormOptions<T = Tensor> extends OpOptions {
  readonly gamma?: T | undefined
  readonly beta?: T | undefined
  readonly axes?: number | undefined
  readonly epsilon?: number | undefined
  readonly activation?: Activation | undefined
}

/** `layerNorm` and `rmsNorm`, forward and backward, and the functions that users call. */
export function rowNormOps({ name, centered, epsilon: fallback }: RowNormTraits) {
  const optional = centered ? ['gamma', 'beta'] : ['gamma']
  const statistics = centered ? ['mean', 'variance'] : ['meanSquare']
  const gradientNames = optional.map((parameter) => `d${parameter}`)

  /** The shapes of the axes that stay and of those that are normalized. */
  function split(x: TensorType, attributes: Attributes, label: string) {
    const axes = attributes.axes as number
    const at = x.shape.length - axes
    if (at < 1) {
      const expected = `rank ${axes + 1} or more, one axis before the ${axes === 1 ? 'last' : `last ${axes}`}`
      throw new ConvlaneError(
        'INVALID_SHAPE',
        `${label}: input must have ${expected}, received rank ${x.shape.length} ${shapeText(x.shape)}`,
        {
          received: x.shape,
        },
      )
    }
    return { rows: x.shape.slice(0, at), columns: x.shape.slice(at) }
  }
  const ofColumns = 'that of the normalized axes'

  const backward: OpDefinition = {
    name: `${name}Backward`,
    inputs: ['dy', 'x', ...statistics, 'gamma?'],
    outputs: ['dx', ...gradientNames],
    optionalOutputs: ['dx', ...gradientNames],
    infer([dy, x, ...others], attributes, label) {
      checkSameShape(dy!, x!, label, ['dy', 'x'])
      const { rows, columns } = split(x!, attributes, label)
      statistics.forEach((statistic, index) => {
        checkShapes({ [statistic]: others[index] }, rows, label, 'that of the other axes')
      })
      checkShapes({ gamma: others[statistics.length] }, columns, label, ofColumns)
      return [float32(x!.shape), ...gradientNames.map(() => float32(columns))]
    },
  }
  const forward: OpDefinition = {
    name,
    inputs: ['x', ...optional.map((parameter) => `${parameter}?`)],
    outputs: ['y', ...statistics],
    optionalOutputs: statistics,
    infer([x, gamma, beta], attributes, label) {
      const { rows, columns } = split(x!, attributes, label)
      checkShapes({ gamma, beta }, columns, label, ofColumns)
      return [float32(x!.shape), ...statistics.map(() => float32(rows))]
    },
    gradient({ inputs: [x, gamma], outputs: [, ...found], attributes: { epsilon, axes }, label }, [dy, ...others], wanted) {
      if (others.some((gradient) => gradient)) throw withoutGradient(name, label, `${statistics.join(' and ')} have`)
      const results = call(
        backward,
        [dy, x, ...found, gamma],
        { epsilon: epsilon!, axes: axes! },
        label === undefined ? {} : { name: label },
      )
      return results.map((result, index) => (wanted[index] ? (result as Value) : undefined))
    },
  }

  function prepare(x: Operand, options: RowNormOptions<Operand>, known: readonly string[], label: string) {
    checkOptions(options, known, label)
    typeOf(x, label, 'input')
    for (const parameter of ['gamma', 'beta'] as const) if (options[parameter] !== undefined) typeOf(options[parameter], label, parameter)
    const epsilon = checkNumber(options.epsilon ?? fallback, label, 'epsilon', { low: 0 })
    const axes = checkInteger(options.axes ?? 1, label, 'axes')
    return { activation: checkActivation(options.activation, label), attributes: { axes, epsilon, activation: 'linear' } }
  }

  const run = (x: Operand, options: RowNormOptions<Operand> = {}): Operand => {
    const { activation, attributes } = prepare(x, options, [...optional, 'axes', 'epsilon', 'activation'], labelOf(name, options?.name))
    const inputs = centered ? [x, options.gamma, options.beta] : [x, options.gamma]
    return activate(call(forward, inputs, attributes, options, { wanted: [0] })[0]!, activation, options)
  }
  const runBackward = (dy: Operand, x: Operand, options: RowNormOptions<Operand> = {}): Record<string, Operand> => {
    const label = labelOf(backward.name, options?.name)
    const { attributes } = prepare(x, options, ['gamma', 'axes', 'epsilon'], label)
    checkSameShape(typeOf(dy, label, 'dy'), typeOf(x, label, 'x'), label, ['dy', 'x'])
    const [, ...found] = call(forward, centered ? [x, undefined, undefined] : [x, undefined], attributes, options)
    const { axes, epsilon } = attributes
    const results = call(backward, [dy, x, ...found, options.gamma], { axes, epsilon }, options)
    return Object.fromEntries(backward.outputs.map((output, index) => [output, results[index]!]))
  }
  return { forward, backward, run, runBackward }
}
