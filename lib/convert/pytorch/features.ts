import { labelOf } from '../../graph/apply'
import type { Architecture } from '../../model/architecture'

/** In which order the channels of a result lie there, and here. */
export type Features =
  /** As here; `rows`: with all its axes, as what a recurrent layer gives for every step. */
  | { readonly kind: 'same'; readonly rows?: boolean }
  /** Feature i here is `order[i]` there. */
  | { readonly kind: 'moved'; readonly order: Uint32Array }
  /** Nobody can tell, since this layer. */
  | { readonly kind: 'unknown'; readonly since: string }

const same: Features = { kind: 'same' }

/** What leaves every channel where it is, whatever the order. */
const keeping = new Set([
  ...['linear', 'relu', 'sigmoid', 'tanh', 'softmax', 'logSoftmax', 'leakyRelu', 'linearThreshold', 'elu', 'selu', 'gelu', 'silu', 'mish'],
  ...[
    'softplus',
    'softsign',
    'hardSigmoid',
    'hardSwish',
    'prelu',
    'dropout',
    'spatialDropout',
    'batchNorm',
    'layerNorm',
    'rmsNorm',
    'rescale',
  ],
])

/** What computes every channel from all of them. */
const mixing = /^(conv\dd|convTranspose\dd|separableConv\dd|dense)$/

/** What has pixels to work on, and leaves channels where they are. */
const channelwise =
  /^(depthwiseConv\dd|instanceNorm|normalize|identityShortcut|(max|average|lp|adaptiveAverage|globalMax|globalAverage)Pool\dd|(zeroPad|crop|upsample|resize)\dd)$/

/**
 * The order of the channels of each place (inputs first, then calls) in a network of PyTorch that does the same. Images have their channels before their rows
 * there, and `flatten` does not move them: it leaves channel 0 of all pixels, then channel 1.
 */
export function featuresOf({ inputs, layers, calls }: Architecture): Features[] {
  const shapes = [...inputs.map(({ shape }) => shape), ...calls.map(({ shape }) => shape.slice(1) as number[])]
  const places: Features[] = inputs.map(() => same)
  for (const { layer: index, inputs: from } of calls) {
    const { layer, name } = layers[index]!
    const before = from.map((place) => places[place]!)
    const since = labelOf(layer.type, name)
    const lost = before.find(({ kind }) => kind === 'unknown')
    places.push(
      lost && !mixing.test(layer.type) && layer.type !== 'rnn'
        ? lost
        : featuresAfter(
            layer.type,
            since,
            before,
            from.map((place) => shapes[place]!),
          ),
    )
  }
  return places
}

function featuresAfter(type: string, since: string, before: readonly Features[], shapes: readonly (readonly number[])[]): Features {
  const unknown: Features = { kind: 'unknown', since }
  const first = before[0]!
  if (mixing.test(type)) return same
  if (type === 'rnn') return { kind: 'same', rows: true }
  if (keeping.has(type)) return first
  if (channelwise.test(type)) return first.kind === 'same' ? same : first
  if (type === 'groupNorm') return first.kind === 'same' ? first : unknown
  if (type === 'flatten') return flattened(first, shapes[0]!)
  if (type === 'concat')
    return joined(
      before,
      shapes.map((shape) => shape.at(-1)!),
    )
  if (type === 'add' || type === 'multiply') return before.every((one) => alike(one, first)) ? first : unknown
  return unknown
}

function flattened(before: Features, shape: readonly number[]): Features {
  const channels = shape.at(-1)!
  const pixels = shape.slice(0, -1).reduce((product, size) => product * size, 1)
  if (before.kind !== 'same' || before.rows || pixels === 1 || channels === 1) return before.kind === 'same' ? same : before
  return {
    kind: 'moved',
    order: Uint32Array.from({ length: pixels * channels }, (_, i) => (i % channels) * pixels + Math.floor(i / channels)),
  }
}

function joined(before: readonly Features[], widths: readonly number[]): Features {
  if (before.every(({ kind }) => kind === 'same')) return before.every((one) => one.kind === 'same' && one.rows) ? before[0]! : same
  const order = new Uint32Array(widths.reduce((sum, width) => sum + width, 0))
  let start = 0
  for (const [index, one] of before.entries()) {
    const width = widths[index]!
    for (let i = 0; i < width; i++) order[start + i] = start + (one.kind === 'moved' ? one.order[i]! : i)
    start += width
  }
  return { kind: 'moved', order }
}

/** Whether two results have their channels in the same order. */
export function alike(a: Features, b: Features): boolean {
  if (a.kind === 'same' || b.kind === 'same') return a.kind === b.kind
  if (a.kind === 'unknown' || b.kind === 'unknown') return false
  return a.order.length === b.order.length && a.order.every((from, index) => from === b.order[index])
}
