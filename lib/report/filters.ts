import { ConvlaneError } from '../errors'
import type { Model } from '../model/model'
import type { Tensor } from '../tensor'
import { checkModel } from './checkModel'

/** The filters of one convolution. */
export interface Filters {
  /** Name of the layer. */
  readonly layer: string
  /** Kind of layer: `conv2d`. */
  readonly type: string
  /** Full name of the weights: `conv2d/kernel`. */
  readonly name: string
  /** The weights, `[count, channels, …window]`: one filter after the other, its channels apart, each a window of the layer's axes. */
  readonly weights: Tensor
  /** How many filters. */
  readonly count: number
  /** Channels that each of them sees. */
  readonly channels: number
  /** Sizes of the window, as of the layer's `kernelSize`. */
  readonly window: readonly number[]
}

/** Kernels of kinds of layers: how their last two axes are meant. */
const kernels: readonly {
  readonly of: RegExp
  readonly name: string
  readonly last: 'channels, filters' | 'filters, channels' | 'filters'
}[] = [
  { of: /^conv[123]d$/, name: 'kernel', last: 'channels, filters' },
  { of: /^convTranspose[123]d$/, name: 'kernel', last: 'filters, channels' },
  { of: /^depthwiseConv[12]d$/, name: 'kernel', last: 'filters' },
  { of: /^separableConv[12]d$/, name: 'depthwiseKernel', last: 'filters' },
  { of: /^separableConv[12]d$/, name: 'pointwiseKernel', last: 'channels, filters' },
]

/**
 * The filters of the convolutions, in the order of the layers, as they are after the last whole step: copies, the filters first.
 * Of depthwise convolutions each filter sees one channel; a separable one has those, then its pointwise filters.
 * @param layer name of one layer. Default: all convolutions
 * @throws INVALID_ARGUMENT where there is no such convolution, and for what is no model
 */
export async function filters(model: Model<never, unknown>, layer?: string): Promise<Filters[]> {
  checkModel(model, 'filters')
  const { layers } = model.architecture
  const found = layers.flatMap(({ name, layer: { type } }) =>
    kernels.flatMap((kernel) =>
      kernel.of.test(type) && (layer === undefined || layer === name) ? [{ ...kernel, name, type, own: kernel.name }] : [],
    ),
  )
  if (layer !== undefined && found.length === 0) {
    const names = layers.filter((one) => kernels.some(({ of }) => of.test(one.layer.type))).map(({ name }) => name)
    const hint = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none'
    throw new ConvlaneError('INVALID_ARGUMENT', `filters: there is no convolution "${layer}", ${hint}`, {
      expected: names,
      received: layer,
    })
  }
  if (found.length === 0) return []
  const weights = await model.getWeights()
  return found.map(({ name, type, own, last }) =>
    filtersOf(weights[`${name}/${own}`]!, last, { layer: name, type, name: `${name}/${own}` }),
  )
}

function filtersOf(
  { shape, data }: Tensor,
  last: (typeof kernels)[number]['last'],
  names: Pick<Filters, 'layer' | 'type' | 'name'>,
): Filters {
  const window = shape.slice(0, -2)
  const [a, b] = shape.slice(-2) as [number, number]
  const [count, channels] = last === 'filters' ? [a * b, 1] : last === 'channels, filters' ? [b, a] : [a, b]
  const size = window.reduce((product, length) => product * length, 1)
  const turned = new Float32Array(data.length)
  for (let position = 0; position < size; position++) {
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < b; j++) {
        const [filter, channel] = last === 'filters' ? [i * b + j, 0] : last === 'channels, filters' ? [j, i] : [i, j]
        turned[(filter * channels + channel) * size + position] = data[(position * a + i) * b + j]!
      }
    }
  }
  return { ...names, weights: { shape: [count, channels, ...window], data: turned }, count, channels, window }
}
