import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import type { TensorType, Value } from '../graph/value'
import { checkRank, checkSizes, span, valueText } from '../shape'
import type { Tensor } from '../tensor'
import { resolvePadding, type Sides } from '../window'
import { activate, activateBackward } from './activation'
import { biasGradient } from './biasGradient'
import { call, type Operand, typeOf } from './call'
import {
  type Axes,
  type ConvolutionOps,
  type ConvolutionOptions,
  checkGradientShape,
  commonOptions,
  filtersAtPixels,
  imageSizes,
  letters,
  weightGradient,
} from './convolution'
import { checkBias } from './dense'
import type { Attributes, OpDefinition } from './op'

const filterLetters = { 1: ['K', 'OC/groups', 'C'], 2: ['KH', 'KW', 'OC/groups', 'C'], 3: ['KD', 'KH', 'KW', 'OC/groups', 'C'] } as const

interface Window {
  readonly stride: readonly number[]
  readonly padding: Sides
  readonly dilation: readonly number[]
  readonly outputPadding: readonly number[]
}

/** Options of a transposed convolution, resolved against the sizes that it meets. `'same'` makes the output stride times the input. */
function windowOf(axes: Axes, x: TensorType, w: TensorType, options: TransposedOptions<Operand>, label: string): Window {
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
  if (options.padding !== 'same') return { stride, padding, dilation, outputPadding }
  if (options.outputPadding !== undefined) {
    const message = `${label}: outputPadding follows from padding 'same', received ${valueText(options.outputPadding)} as well`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: options.outputPadding })
  }
  const missing = stride.map((step, axis) => Math.max(0, step - span(kernel[axis]!, dilation[axis]!)))
  return { stride, padding, dilation, outputPadding: missing }
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
  /** Pixels added after each axis of the result, below the stride. Default 0. Says which of the inputs that a convolution maps to one size is meant. */
  readonly outputPadding?: Sizes | undefined
}

const optionNames = ['bias', 'stride', 'padding', 'outputPadding', 'dilation', 'groups', 'activation', 'algorithm']

function prepare(axes: Axes, x: Operand, w: Operand, options: TransposedOptions<Operand>, label: string) {
  const { groups, algorithm, activation } = commonOptions(options, optionNames, label)
  const [image, filters] = [typeOf(x, label, 'input'), typeOf(w, label, 'filters')]
  checkRank(image.shape, letters[axes].image, label, 'input')
  checkRank(filters.shape, filterLetters[axes], label, 'filters')
  const window = windowOf(axes, image, filters, options, label)
  const y = resultOf(axes, image, filters, window, groups, label)
  return { filters, y, activation, attributes: { ...window, groups, activation: 'linear', algorithm } }
}

/** What `convTranspose1d`, `convTranspose2d` and `convTranspose3d` do. */
export function transposedConvolution(ops: TransposedOps, x: Operand, w: Operand, options: TransposedOptions<Operand> = {}): Operand {
  const { activation, attributes } = prepare(ops.convolution.axes, x, w, options, labelOf(ops.forward.name, options?.name))
  return activate(call(ops.forward, [x, w, options.bias], attributes, options)[0]!, activation, options)
}

/** What their backward functions do. */
export function transposedBackward(
  { convolution, forward }: TransposedOps,
  dy: Operand,
  x: Operand,
  w: Operand,
  options: TransposedOptions<Operand> = {},
): Record<'dx' | 'dw' | 'db', Operand> {
  const label = labelOf(`${forward.name}Backward`, options?.name)
  const { filters, y, activation, attributes } = prepare(convolution.axes, x, w, options, label)
  checkGradientShape(typeOf(dy, label, 'dy'), y, label)
  const linear = activation === 'linear' ? dy : call(forward, [x, w, options.bias], attributes, options)[0]!
  const dz = activateBackward(dy, linear, activation, options)
  const { runtime, name } = options
  return {
    dx: imageGradient(convolution, dz, w, attributes, options),
    dw: filterGradient(convolution, dz, x, attributes, filters, options),
    db: biasGradient(dz as Value, { runtime, name }),
  }
}
