import { ConvlaneError } from '../../errors'
import { labelOf } from '../../graph/apply'
import type { Architecture, PlacedLayer } from '../../model/architecture'
import { alike, type Features, featuresOf } from './features'

/** How a weight stands in PyTorch's files. */
export interface Slot {
  /** Full name here, and shape. */
  readonly name: string
  readonly layer: string
  readonly shape: readonly number[]
  /** Name there. */
  readonly theirs: string
  /** Its shape there, and with axes parted that are two here: axis i here is `axes[i]` of `parted`. */
  readonly theirShape: readonly number[]
  readonly parted: readonly number[]
  readonly axes: readonly number[]
  /** Row i here is row `order[i]` of what comes of that. */
  readonly order?: Uint32Array
  /** Name of a second tensor of the same shape: this weight is the sum of both. */
  readonly addend?: string
}

/** What a layer's weights are called there, and how they lie. */
type Turn = Pick<Slot, 'theirShape' | 'parted' | 'axes'> & { readonly suffix: string; readonly addend?: string; readonly ordered?: boolean }
/** `image`: sizes of a sample that has its channels first there; none of one that has not. */
type Turns = (
  shape: (parameter: string) => readonly number[],
  layer: PlacedLayer,
  image: readonly number[],
) => Readonly<Record<string, Turn>>

const plain = (suffix: string, shape: readonly number[], axes = shape.map((_, axis) => axis)): Turn => ({
  suffix,
  theirShape: shape,
  parted: shape,
  axes,
})
const vector = (suffix: string, shape: readonly number[]): Turn => ({ ...plain(suffix, shape), ordered: true })

/** `[…window, a, b]` here, `[b, a, …window]` there. */
function kernel(shape: readonly number[], suffix = 'weight'): Turn {
  const axes = shape.length - 2
  const [a, b] = shape.slice(axes) as [number, number]
  const order = [...shape.slice(0, axes).map((_, axis) => axis + 2), 1, 0]
  return plain(suffix, [b, a, ...shape.slice(0, axes)], order)
}

/** `[…window, channels, multiplier]` here, `[channels · multiplier, 1, …window]` there. */
function depthwiseKernel(shape: readonly number[], suffix = 'weight'): Turn {
  const window = shape.slice(0, -2)
  const [channels, multiplier] = shape.slice(-2) as [number, number]
  const axes = [...window.map((_, axis) => axis + 2), 0, 1]
  return { suffix, theirShape: [channels * multiplier, 1, ...window], parted: [channels, multiplier, ...window], axes }
}

const refuse = ({ layer, name }: PlacedLayer, what: string) =>
  new ConvlaneError('UNSUPPORTED', `${labelOf(layer.type, name)}: ${what}`, { received: layer.type })

function bias(layer: PlacedLayer, shape: readonly number[], suffix = 'bias'): Turn {
  if (layer.layer.config().bias === 'position') throw refuse(layer, 'PyTorch has no bias for each position')
  return plain(suffix, shape)
}

const convolution: Turns = (shape, layer) => ({ kernel: kernel(shape('kernel')), bias: bias(layer, shape('bias')) })
const depthwise: Turns = (shape, layer) => ({ kernel: depthwiseKernel(shape('kernel')), bias: bias(layer, shape('bias')) })
const separable: Turns = (shape, layer) => ({
  depthwiseKernel: depthwiseKernel(shape('depthwiseKernel'), 'depthwise.weight'),
  pointwiseKernel: kernel(shape('pointwiseKernel'), 'pointwise.weight'),
  bias: bias(layer, shape('bias'), 'pointwise.bias'),
})
const dense: Turns = (shape, layer) => ({ kernel: { ...kernel(shape('kernel')), ordered: true }, bias: bias(layer, shape('bias')) })
const vectors: Turns = (shape) => ({
  gamma: vector('weight', shape('gamma')),
  beta: vector('bias', shape('beta')),
  movingMean: vector('running_mean', shape('movingMean')),
  movingVariance: vector('running_var', shape('movingVariance')),
})

/** Over a whole image channels stand first there. */
const layerNorm: Turns = (shape, layer, image) => {
  const turn = (suffix: string, sizes: readonly number[]): Turn => {
    if (sizes.length < 2 || image.length === 0) return vector(suffix, sizes)
    if (sizes.length < image.length) throw refuse(layer, 'PyTorch has no normalization over channels and some of the other axes')
    const axes = [...sizes.slice(1).map((_, axis) => axis + 1), 0]
    return plain(suffix, [sizes.at(-1)!, ...sizes.slice(0, -1)], axes)
  }
  return { gamma: turn('weight', shape('gamma')), beta: turn('bias', shape('beta')) }
}

const prelu: Turns = (shape, layer) => {
  const sizes = shape('alpha')
  if (sizes.length === 1) return { alpha: vector('weight', sizes) }
  if (sizes.every((size) => size === 1))
    return { alpha: { suffix: 'weight', theirShape: [1], parted: sizes, axes: sizes.map((_, axis) => axis) } }
  throw refuse(layer, 'PyTorch has slopes for channels, or one for all')
}

const rnn: Turns = (shape, layer) => {
  if (layer.layer.config().outputs !== undefined) throw refuse(layer, "PyTorch's RNN has no outputs: put a dense layer behind it")
  return {
    kernel: kernel(shape('kernel'), 'weight_ih_l0'),
    recurrentKernel: kernel(shape('recurrentKernel'), 'weight_hh_l0'),
    bias: { ...plain('bias_ih_l0', shape('bias')), addend: 'bias_hh_l0' },
  }
}

const turnsOf: ReadonlyMap<string, Turns> = new Map<string, Turns>([
  ...['conv1d', 'conv2d', 'conv3d', 'convTranspose1d', 'convTranspose2d', 'convTranspose3d'].map((type) => [type, convolution] as const),
  ...['depthwiseConv1d', 'depthwiseConv2d'].map((type) => [type, depthwise] as const),
  ...['separableConv1d', 'separableConv2d'].map((type) => [type, separable] as const),
  ['dense', dense],
  ...['batchNorm', 'groupNorm', 'instanceNorm'].map((type) => [type, vectors] as const),
  ['layerNorm', layerNorm],
  ['rmsNorm', layerNorm],
  ['prelu', prelu],
  ['rnn', rnn],
])

/**
 * Where each weight of a model stands in a file of PyTorch's.
 * @param nameOf name there of a weight here: of the layer, of the weight, and the weight's last part there
 * @param isMeant which weights: others need no place there
 * @throws UNSUPPORTED for layers that PyTorch has not, and behind layers that leave features in an order that nobody can tell
 */
export function slotsOf(
  architecture: Architecture,
  nameOf: (layer: string, weight: string, suffix: string) => string,
  isMeant: (weight: string) => boolean,
): Slot[] {
  const { inputs, layers, calls } = architecture
  const features = featuresOf(architecture)
  const shapes = [...inputs.map(({ shape }) => shape), ...calls.map(({ shape }) => shape.slice(1) as number[])]
  const reads = new Map<number, number[]>()
  for (const { layer, inputs: from } of calls) reads.set(layer, [...(reads.get(layer) ?? []), from[0]!])
  return layers.flatMap((placed, index) => {
    const meant = placed.parameters.filter(({ name }) => isMeant(name))
    if (meant.length === 0) return []
    const turns = turnsOf.get(placed.layer.type)
    if (!turns) throw refuse(placed, `PyTorch has no layer like ${placed.layer.type}`)
    const from = reads.get(index)!
    const order = orderOf(
      placed,
      from.map((place) => features[place]!),
    )
    const start = placed.name.length + 1
    const sizes = new Map(placed.parameters.map(({ name, shape }) => [name.slice(start), shape]))
    const read = features[from[0]!]!
    const image = read.kind === 'same' && read.rows ? [] : shapes[from[0]!]!
    const known = turns((parameter) => sizes.get(parameter) ?? [], placed, image)
    return meant.map(({ name, shape }): Slot => {
      const { suffix, addend, ordered, ...turn } = known[name.slice(start)]!
      const theirs = nameOf(placed.name, name, suffix)
      const more = { ...(ordered && order && { order }), ...(addend && { addend: nameOf(placed.name, name, addend) }) }
      return { name, layer: placed.name, shape, theirs, ...turn, ...more }
    })
  })
}

/** The order of what a layer reads there, where it is another. */
function orderOf(layer: PlacedLayer, read: readonly Features[]): Uint32Array | undefined {
  const first = read[0]!
  if (first.kind === 'unknown') throw refuse(layer, `reads what ${first.since} has put into another order, and PyTorch's is not known`)
  if (!read.every((one) => alike(one, first))) throw refuse(layer, 'is used on features in several orders')
  if (first.kind === 'same') return undefined
  if (layer.layer.type === 'groupNorm') throw refuse(layer, 'puts other features into a group than PyTorch does, behind flatten')
  return first.order
}
