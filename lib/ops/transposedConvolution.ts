import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, checkSizes, span, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { resolvePadding, type Sides } from '../window'
import { activate, activateBackward } from './activation'
import { add } from './add'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import {
  type Axes,
  type ConvolutionOps,
  type ConvolutionOptions,
  checkGradientShape,
  checkWinograd,
  commonOptions,
  filtersAtPixels,
  imageSizes,
  letters,
  weightGradient,
} from './convolution'
import { checkBias } from './dense'
import type { Attributes, OpDefinition } from './op'
import { pad } from './pad'
import { slice } from './slice'

const filterLetters = { 1: ['K', 'OC/groups', 'C'], 2: ['KH', 'KW', 'OC/groups', 'C'], 3: ['KD', 'KH', 'KW', 'OC/groups', 'C'] } as const

interface Window {
  readonly stride: readonly number[]
  readonly padding: Sides
  readonly dilation: readonly number[]
  readonly outputPadding: readonly number[]
}

/** Options of a transposed convolution, resolved against the sizes that it meets. `'same'` makes the output stride times the input. */
function windowOf(axes: Axes, x: TensorType, w: TensorType, options: TransposedOptions<Operand>, label: string) {
  const [image, kernel] = [imageSizes(x.shape), w.shape.slice(0, axes) as number[]]
  const stride = checkSizes(options.stride ?? 1, axes, label, 'stride')
  const dilation = checkSizes(options.dilation ?? 1, axes, label, 'dilation')
  const outputPadding = checkSizes(options.outputPadding ?? 0, axes, label, 'outputPadding', 0)
  if (options.padding === 'causal') {
    const message = `${label}: padding cannot be 'causal' in a transposed convolution`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: 'causal' })
  }
  const wanted = image.map((size, axis) => size * stride[axis]!)
  const padding = resolvePadding(options.padding ?? 'valid', label, wanted, kernel, stride, dilation)
  if (options.padding !== 'same') return withBehind({ stride, padding, dilation, outputPadding }, label)
  if (options.outputPadding !== undefined) {
    const message = `${label}: outputPadding follows from padding 'same', received ${valueText(options.outputPadding)} as well`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: options.outputPadding })
  }
  const missing = stride.map((step, axis) => Math.max(0, step - span(kernel[axis]!, dilation[axis]!)))
  return { stride, padding, dilation, outputPadding: missing, behind: missing.map(() => 0) }
}

/**
 * What is added after an axis is below the stride in the step, where a convolution that leaves it out maps the result back. Beyond that (PyTorch allows
 * it below the dilation) it cuts less off, and what is left are places that no filter reaches, `behind` the step's result.
 */
function withBehind({ stride, padding, dilation, outputPadding }: Window, label: string): Window & { readonly behind: readonly number[] } {
  const axes = outputPadding.map((extra, axis) => {
    const [step, apart, [before, after]] = [stride[axis]!, dilation[axis]!, padding[axis]!]
    if (extra >= Math.max(step, apart)) {
      const bound = apart > step ? `the stride ${step} or the dilation ${apart}` : `the stride ${step}`
      const message = `${label}: outputPadding must be below ${bound}, received ${extra}`
      throw new ConvlaneError('INVALID_ARGUMENT', message, { expected: Math.max(step, apart), received: extra })
    }
    if (extra < step) return { sides: [before, after] as const, extra, behind: 0 }
    const kept = Math.min(extra, after)
    return { sides: [before, after - kept] as const, extra: 0, behind: extra - kept }
  })
  return {
    stride,
    padding: axes.map(({ sides }) => sides),
    dilation,
    outputPadding: axes.map(({ extra }) => extra),
    behind: axes.map(({ behind }) => behind),
  }
}

/** Checks that image and filters fit, and gives the shape of the result: (in − 1) · stride − padding + dilation · (kernel − 1) + 1 + outputPadding. */
function resultOf(axes: Axes, x: TensorType, w: TensorType, window: Window, groups: number, label: string): TensorType {
  checkRank(x.shape, letters[axes].image, label, 'input')
  checkRank(w.shape, filterLetters[axes], label, 'filters')
  const refuse = (code: 'INVALID_SHAPE' | 'INVALID_ARGUMENT', message: string, expected: unknown, received: unknown) => {
    throw new ConvlaneError(code, `${label}: ${message}`, { expected, received })
  }
  const [channels, expected] = [x.shape.at(-1)!, w.shape.at(-1)!]
  if (channels !== expected) refuse('INVALID_SHAPE', `input has ${channels} channels, filters expect ${expected}`, expected, channels)
  if (channels % groups !== 0) refuse('INVALID_SHAPE', `groups ${groups} do not divide the input's ${channels} channels`, groups, channels)
  const { stride, padding, dilation, outputPadding } = window
  const output = imageSizes(x.shape).map((size, axis) => {
    const [step, extra] = [stride[axis]!, outputPadding[axis]!]
    if (extra >= step) refuse('INVALID_ARGUMENT', `outputPadding must be below the stride ${step}, received ${extra}`, step, extra)
    const out = (size - 1) * step - padding[axis]![0] - padding[axis]![1] + span(w.shape[axis]!, dilation[axis]!) + extra
    if (out < 1) refuse('INVALID_SHAPE', `padding ${valueText(padding)} leaves no output`, 1, out)
    return out
  })
  return { shape: [x.shape[0]!, ...output, w.shape[axes]! * groups], dtype: 'float32' }
}

export interface TransposedOps {
  readonly convolution: ConvolutionOps
  readonly forward: OpDefinition
}

/** The transposed convolution over so many axes. Its gradients are passes of the convolution itself. */
export function transposedOps(convolution: ConvolutionOps): TransposedOps {
  const { axes } = convolution
  const forward: OpDefinition = {
    name: `convTranspose${axes}d`,
    inputs: ['x', 'w', 'bias?'],
    outputs: ['y'],
    shapeAttributes: ['outputPadding'],
    infer([x, w, bias], attributes, label) {
      const y = resultOf(axes, x!, w!, attributes as unknown as Window, attributes.groups as number, label)
      if (bias) checkBias(bias, y.shape.at(-1)!, label, 'channels')
      return [y]
    },
    gradient({ inputs, attributes, label }, [dy], wanted) {
      const [x, w] = [inputs[0]!, inputs[1]!]
      const options = { name: label }
      return [
        wanted[0] ? imageGradient(convolution, dy!, w, attributes, options) : undefined,
        wanted[1] ? filterGradient(convolution, dy!, x, attributes, w, options) : undefined,
        wanted[2] ? biasGradient(dy!, options) : undefined,
      ] as (Value | undefined)[]
    },
    multiplyAdds: ([x, w]) => filtersAtPixels(w!, x!),
  }
  return { convolution, forward }
}

const convolutionAttributes = ({ outputPadding, ...rest }: Attributes): Attributes => ({ ...rest, activation: 'linear' })

/** By the image: the convolution of dy. */
const imageGradient = (
  { forward }: ConvolutionOps,
  dy: Operand,
  w: Operand,
  attributes: Attributes,
  options: TransposedOptions<Operand>,
): Operand => call(forward, [dy, w, undefined], convolutionAttributes(attributes), options)[0]!

/** By the filters: the convolution's weight gradient with the parts of image and gradient exchanged. */
const filterGradient = (
  ops: ConvolutionOps,
  dy: Operand,
  x: Operand,
  attributes: Attributes,
  w: TensorType,
  options: TransposedOptions<Operand>,
): Operand => weightGradient(ops, x, dy, convolutionAttributes(attributes), w, options)

export interface TransposedOptions<T = Tensor, Sizes = unknown, Pad = unknown> extends ConvolutionOptions<T, Sizes, Pad> {
  /** Pixels added after each axis of the result, below the stride or the dilation. Default 0. Says which of the inputs that a convolution maps to one size is meant. */
  readonly outputPadding?: Sizes | undefined
}

const optionNames = ['bias', 'stride', 'padding', 'outputPadding', 'dilation', 'groups', 'activation', 'algorithm']

function prepare(axes: Axes, x: Operand, w: Operand, options: TransposedOptions<Operand>, label: string) {
  const { groups, algorithm, activation } = commonOptions(options, optionNames, label)
  const [image, filters] = [typeOf(x, label, 'input'), typeOf(w, label, 'filters')]
  checkRank(image.shape, letters[axes].image, label, 'input')
  checkRank(filters.shape, filterLetters[axes], label, 'filters')
  const { behind, ...window } = windowOf(axes, image, filters, options, label)
  checkWinograd({ algorithm, groups, ...window }, filters.shape.slice(0, axes), label)
  const inner = resultOf(axes, image, filters, window, groups, label)
  const shape = inner.shape.map((size, axis) => (size === null ? null : size + (behind[axis - 1] ?? 0)))
  const sides = behind.some((count) => count > 0) && [[0, 0] as const, ...behind.map((count) => [0, count] as const), [0, 0] as const]
  return { filters, inner, y: { ...inner, shape }, sides, activation, attributes: { ...window, groups, activation: 'linear', algorithm } }
}

type Prepared = ReturnType<typeof prepare>

/** The result without the activation. */
function linearResult({ forward }: TransposedOps, x: Operand, w: Operand, options: TransposedOptions<Operand>, given: Prepared): Operand {
  const { attributes, sides, y } = given
  const { bias, runtime, name } = options
  if (!sides) return call(forward, [x, w, bias], attributes, options)[0]!
  const label = labelOf(forward.name, name)
  const padded = pad(call(forward, [x, w, undefined], attributes, options)[0] as Value, sides, { runtime, name })
  if (bias === undefined) return padded
  checkBias(typeOf(bias, label, 'bias'), y.shape.at(-1)!, label, 'channels')
  return add(padded, bias as Value, { runtime, name })
}

/** What `convTranspose1d`, `convTranspose2d` and `convTranspose3d` do. */
export function transposedConvolution(ops: TransposedOps, x: Operand, w: Operand, options: TransposedOptions<Operand> = {}): Operand {
  const given = prepare(ops.convolution.axes, x, w, options, labelOf(ops.forward.name, options?.name))
  return activate(linearResult(ops, x, w, options, given), given.activation, options)
}

/** What their backward functions do. */
export function transposedBackward(
  ops: TransposedOps,
  dy: Operand,
  x: Operand,
  w: Operand,
  options: TransposedOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const { convolution, forward } = ops
  const label = labelOf(`${forward.name}Backward`, options?.name)
  const given = prepare(convolution.axes, x, w, options, label)
  const { filters, inner, y, sides, activation, attributes } = given
  checkGradientShape(typeOf(dy, label, 'dy'), y, label)
  const linear = activation === 'linear' ? dy : linearResult(ops, x, w, options, given)
  const dz = activateBackward(dy, linear, activation, options)
  const { runtime, name } = options
  const starts = inner.shape.map(() => 0)
  const reached = sides ? slice(dz as Value, starts, inner.shape, { runtime, name }) : dz
  return {
    dx: imageGradient(convolution, reached, w, attributes, options),
    dw: filterGradient(convolution, reached, x, attributes, filters, options),
    db: biasGradient(dz as Value, { runtime, name }),
  }
}
