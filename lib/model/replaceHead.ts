import { checkOptions, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { Layer } from '../layers/layer'
import { input, Node } from '../layers/node'
import type { Tensor } from '../tensor'
import { type Architecture, architectureOf, type PlacedLayer } from './architecture'
import { frozenAtFirst, trainableWeights } from './frozen'
import { Model, type ModelOptions } from './model'

/** Options of {@link replaceHead}. */
export interface ReplaceHeadOptions extends ModelOptions {
  /** What comes behind the layers that stay: layers, one behind the other (none: the features themselves), or a function that joins them to the node. */
  readonly head: readonly Layer[] | ((features: Node) => Node)
  /** Name of the last layer that stays. Default: that before the last layer with weights, which gives the classes in most networks. */
  readonly after?: string
}

/**
 * A model of the first layers of another, with copies of their weights, and a new head: for transfer learning. The layers that stay keep their names, what is
 * frozen of them, and how bytes are scaled; new ones get names that are free. Class names are not kept. The other model stays as it is.
 * @throws INVALID_ARGUMENT for a layer that there is not, and where nothing would stay; INVALID_SHAPE where the head does not fit
 */
export async function replaceHead<X>(model: Model<X, unknown>, options: ReplaceHeadOptions): Promise<Model<X, Tensor>> {
  if (!(model instanceof Model)) throw invalid('replaceHead', 'model', 'a model', model)
  checkOptions('replaceHead', options, ['head', 'after', 'seed', 'runtime'])
  const { head, after, ...others } = options
  const { architecture } = model
  const place = after === undefined ? placeBeforeLast(architecture) : placeAfter(architecture, after)
  const body = bodyUpTo(architecture, place)
  const made = new Model<X, Tensor>(joined(body, headOf(head, shapeAt(architecture, place))), others)
  const kept = new Set(body.layers.flatMap(({ parameters }) => parameters.map(({ name }) => name)))
  const weights = Object.entries(await model.getWeights()).filter(([name]) => kept.has(name))
  await made.setWeights(Object.fromEntries(weights))
  return made
}

/** Sizes of one sample at a place. */
const shapeAt = ({ inputs, calls }: Architecture, place: number) =>
  place < inputs.length ? inputs[place]!.shape : (calls[place - inputs.length]!.shape.slice(1) as number[])

function placeAfter({ inputs, layers, calls }: Architecture, name: unknown): number {
  const index = layers.findIndex((layer) => layer.name === name)
  const call = calls.map(({ layer }) => layer).lastIndexOf(index)
  if (index >= 0) return inputs.length + call
  throw invalid('replaceHead', 'after', `the name of a layer, one of ${layers.map((layer) => layer.name).join(', ')}`, name)
}

/** What the last layer with weights reads. */
function placeBeforeLast(architecture: Architecture): number {
  const { inputs, layers, calls, outputs } = architecture
  const needed = leadingTo(architecture, outputs[0]!.place)
  const hint = "say what stays: replaceHead(model, { after: 'flatten', … })"
  if (outputs.length > 1) throw new ConvlaneError('INVALID_ARGUMENT', `replaceHead: the model has ${outputs.length} outputs: ${hint}`)
  const weighted = new Set(trainableWeights(architecture).map(({ layer }) => layer))
  const last = calls.findLast(({ layer }, call) => needed.has(inputs.length + call) && weighted.has(layers[layer]!.name))
  const [before, ...more] = last?.inputs ?? []
  if (before !== undefined && before >= inputs.length && more.length === 0) return before
  throw new ConvlaneError('INVALID_ARGUMENT', `replaceHead: nothing stands before the last layer with weights: ${hint}`)
}

/** A place, and all that it is computed from. */
function leadingTo({ inputs, calls }: Architecture, end: number): Set<number> {
  const needed = new Set([end])
  for (let call = calls.length - 1; call >= 0; call--) {
    if (needed.has(inputs.length + call)) for (const place of calls[call]!.inputs) needed.add(place)
  }
  return needed
}

/** A model's beginning. */
interface Body extends Omit<Architecture, 'outputs'> {
  readonly end: number
}

/** What a place is made of. */
function bodyUpTo(architecture: Architecture, end: number): Body {
  const { inputs, layers, calls, frozen } = architecture
  const needed = leadingTo(architecture, end)
  const places = new Map([...needed].sort((a, b) => a - b).map((place, index) => [place, index]))
  const own = calls.filter((_, call) => needed.has(inputs.length + call))
  const used = [...new Set(own.map(({ layer }) => layer))]
  const names = new Set(used.map((layer) => layers[layer]!.name))
  return {
    inputs: inputs.filter((_, place) => needed.has(place)),
    layers: used.map((layer) => layers[layer]!),
    calls: own.map(({ layer, inputs: from, shape }) => ({
      layer: used.indexOf(layer),
      inputs: from.map((place) => places.get(place)!),
      shape,
    })),
    frozen: new Set([...frozen].filter((name) => names.has(name.split('/')[0]!))),
    end: places.get(end)!,
  }
}

function headOf(head: unknown, shape: readonly number[]): Architecture {
  const expected = 'an array of layers, or a function of the node that they stand behind'
  const start = input(shape) as Node
  if (typeof head === 'function') {
    const end: unknown = head(start)
    if (!(end instanceof Node)) throw invalid('replaceHead', 'head', `${expected}, which gives a node`, end)
    return architectureOf([start], [end])
  }
  if (!Array.isArray(head) || !head.every((layer) => layer instanceof Layer)) throw invalid('replaceHead', 'head', expected, head)
  const join = (node: Node, layer: Layer) => (layer.apply as (node: Node) => Node).call(layer, node)
  return architectureOf([start], [head.reduce(join, start)])
}

/** The layers of the body first; those of the head with names that are free. */
function joined(body: Body, head: Architecture): Architecture {
  const first = body.layers
  const taken = new Set(first.map(({ name }) => name))
  for (const { layer, name } of head.layers) {
    if (layer.named && taken.has(name)) throw invalid('replaceHead', 'head', 'layers with names that no layer has that stays', name)
    if (layer.named) taken.add(name)
  }
  const layers = [...first, ...head.layers.map((placed) => (placed.layer.named ? placed : renamed(placed, taken)))]
  const start = body.inputs.length + body.calls.length
  const placeOf = (place: number) => (place === 0 ? body.end : start + place - 1)
  const calls = [
    ...body.calls,
    ...head.calls.map(({ layer, inputs, shape }) => ({ layer: first.length + layer, inputs: inputs.map(placeOf), shape })),
  ]
  const [{ shape, place }] = head.outputs as [Architecture['outputs'][number]]
  const end = placeOf(place)
  const name = layers[calls[end - body.inputs.length]?.layer ?? -1]?.name ?? body.inputs[end]!.name
  const frozen = new Set([...body.frozen, ...frozenAtFirst(layers.slice(first.length))])
  return { inputs: body.inputs, layers, calls, outputs: [{ name, shape, place: end }], frozen }
}

function renamed({ layer, name, parameters }: PlacedLayer, taken: Set<string>): PlacedLayer {
  let free = layer.type
  for (let number = 1; taken.has(free); number++) free = `${layer.type}_${number}`
  taken.add(free)
  return { layer, name: free, parameters: parameters.map((one) => ({ ...one, name: `${free}/${one.name.slice(name.length + 1)}` })) }
}
