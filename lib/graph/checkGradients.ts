import type { ProgramSpec } from '../../binding'
import { ConvlaneError } from '../errors'
import { checkOptions } from '../ops/options'
import { compileProgram } from '../program/compile'
import { stateLayout } from '../program/state-layout'
import { interpret, resolve } from '../runtime/interpret'
import { checkNumber, shapeText, valueText } from '../shape'
import { checkArray, type Labels, type Tensor } from '../tensor'
import { gradients } from './gradients'
import { inputValue } from './sources'
import { Value } from './value'

/** Options of {@link checkGradients}. */
export interface CheckGradientsOptions {
  /** Largest error that passes. Default 1e-6. */
  readonly tolerance?: number
  /** Each element is moved by this up and down, times its size where that is above 1. Default 1e-5. */
  readonly step?: number
}

/** How far a gradient is from central differences. */
export interface GradientError {
  /** Largest |gradient − difference| of the input's elements, divided by the largest of both within the input (by 1e-4 where that is less). */
  readonly error: number
  /** Element with the largest error, and what was found there. */
  readonly index: number
  /** What the gradient rule gives there. */
  readonly gradient: number
  /** What central differences give there. */
  readonly difference: number
}

/**
 * Checks the gradients of a function made of ops: `checkGradients((x, w) => relu(conv2d(x, w)), [x, w])`. The function is traced over values of a graph;
 * its gradients and central differences are both computed by the reference in double precision, for a weighted sum of the result's elements. Class
 * numbers among the inputs are left alone. Keep inputs away from kinks (0 for relu, equal elements in a max-pooling window).
 *
 * Returns the largest error of each input (`undefined` for class numbers). Throws `WRONG_GRADIENT`, naming the place, when one is over the tolerance,
 * and what `fn` throws.
 */
export function checkGradients(
  fn: (...inputs: Value[]) => Value,
  inputs: readonly (Tensor | Labels)[],
  options: CheckGradientsOptions = {},
): (GradientError | undefined)[] {
  checkOptions(options, ['tolerance', 'step'], 'checkGradients')
  if (typeof fn !== 'function' || !Array.isArray(inputs)) {
    throw new ConvlaneError(
      'INVALID_ARGUMENT',
      `checkGradients: takes a function and an array of tensors, received ${valueText(fn)} and ${valueText(inputs)}`,
    )
  }
  const tolerance = checkNumber(options.tolerance ?? 1e-6, 'checkGradients', 'tolerance', { low: 0 })
  const step = checkNumber(options.step ?? 1e-5, 'checkGradients', 'step', { low: Number.MIN_VALUE })
  const values = inputs.map((input, index) => {
    const { shape, data } = checkArray(input, 'checkGradients', `input ${index}`, ['Float32Array', 'Int32Array', 'Uint8Array'])
    return inputValue(`${index}`, shape, data[Symbol.toStringTag] === 'Float32Array' ? 'float32' : 'int32')
  })
  const result = fn(...values)
  if (!(result instanceof Value)) {
    const message = `checkGradients: the function must return a value of the graph, returned ${valueText(result)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: result })
  }

  const points = inputs.map(({ data }) => Float64Array.from(data))
  const forward = compile(values, [result])
  const weights = Float64Array.from(
    { length: evaluate(forward, points)[0]!.length },
    (_, i) => (1.5 + Math.cos(2.4 * i)) * (i % 3 === 1 ? -1 : 1),
  )
  const weightedSum = () => evaluate(forward, points)[0]!.reduce((sum, y, i) => sum + y * weights[i]!, 0)

  const seed = inputValue('weights', result.shape)
  const found = gradients([{ of: result, gradient: seed }], values)
  const arrived = found.filter((gradient) => gradient !== undefined)
  const computed = evaluate(compile([...values, seed], arrived), [...points, weights])

  return points.map((point, index) => {
    if (values[index]!.dtype !== 'float32') return undefined
    const gradient = found[index] ? computed[arrived.indexOf(found[index])]! : new Float64Array(point.length)
    const difference = point.map((x, i) => {
      const h = step * Math.max(1, Math.abs(x))
      point[i] = x + h
      const above = weightedSum()
      point[i] = x - h
      const below = weightedSum()
      point[i] = x
      return (above - below) / (2 * h)
    })
    const worst = compare(gradient, difference)
    if (worst.error <= tolerance) return worst
    const where = `input ${index} ${shapeText(inputs[index]!.shape)}, element ${worst.index}`
    const message = `checkGradients: ${where}: the gradient is ${worst.gradient}, central differences give ${worst.difference} (error ${worst.error})`
    throw new ConvlaneError('WRONG_GRADIENT', message, { expected: worst.difference, received: worst.gradient })
  })
}

function compare(gradient: Float64Array, difference: Float64Array): GradientError {
  const size = [...gradient, ...difference].reduce((largest, x) => Math.max(largest, Math.abs(x)), 1e-4)
  let worst: GradientError = { error: -1, index: 0, gradient: 0, difference: 0 }
  gradient.forEach((g, index) => {
    const relative = Math.abs(g - difference[index]!) / size
    const error = Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative
    if (error > worst.error) worst = { error, index, gradient: g, difference: difference[index]! }
  })
  return worst
}

function compile(inputs: readonly Value[], outputs: readonly Value[]): ProgramSpec {
  return compileProgram({ inputs, outputs, layout: stateLayout([]), capacity: 1, lane: 'infer' }).spec
}

function evaluate(spec: ProgramSpec, inputs: readonly Float64Array[]): Float64Array[] {
  const run = { arena: new Float64Array(spec.arenaElements), state: new Float64Array(), inputs, n: 1, scalars: { seed: 0, step: 0 } }
  for (const _ of interpret(spec.steps, run));
  return spec.outputs.map((operand) => Float64Array.from(resolve(operand, run).data))
}
