import type { Normalize } from '../data/dataset'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import { parameterValue } from '../graph/sources'
import type { SymbolicShape, Value } from '../graph/value'
import { checkFits } from '../layers/initializers'
import { finder, type Layer, type Parameter, parametersOf } from '../layers/layer'
import { Node } from '../layers/node'
import type { Average } from '../program/compile'
import { checkNumber, sameShape, shapeText, valueText } from '../shape'
import type { Penalty } from '../train/penalties'
import { type Frozen, frozenAtFirst, isFrozen } from './frozen'

/** A layer within a model, with the name it has there. */
export interface PlacedLayer {
  readonly layer: Layer
  readonly name: string
  /** Under their full names: `conv2d_1/kernel`. */
  readonly parameters: readonly Parameter[]
}

/** One use of a layer. Its result is place number `inputs.length + (its index)` of the architecture. */
export interface Call {
  /** Index of the layer. */
  readonly layer: number
  /** Places it reads: inputs first, then calls, in order. */
  readonly inputs: readonly number[]
  readonly shape: SymbolicShape
}

/** A named end of a model. */
export interface End {
  readonly name: string
  /** Sizes of one sample. */
  readonly shape: readonly number[]
}

/** An input of a model, and how it takes bytes where the data does not say. */
export interface InputEnd extends End {
  readonly normalize?: Normalize
}

/** A network as data: what it is built from for each program, and what `save` writes. */
export interface Architecture {
  readonly inputs: readonly InputEnd[]
  readonly layers: readonly PlacedLayer[]
  /** Each after those it reads. */
  readonly calls: readonly Call[]
  readonly outputs: readonly (End & { readonly place: number })[]
  /** What training leaves alone. */
  readonly frozen: Frozen
}

/**
 * Collects what lies between inputs and outputs, and names it: given names stay, the others are `conv2d`, `conv2d_1`, … in the order of the calls.
 * Throws INVALID_ARGUMENT for a name given twice and for outputs that do not follow from the inputs; INVALID_SHAPE for a layer used on inputs
 * that need parameters of other shapes than its first use.
 */
export function architectureOf(inputs: readonly Node[], outputs: readonly Node[]): Architecture {
  checkEnds(inputs, outputs)
  const order = callOrder(inputs, outputs)
  const layers = [...new Set(order.map((node) => node.origin!.layer))]
  const indices = new Map(layers.map((layer, index) => [layer, index]))
  const names = uniqueNames(layers.map(({ name, named, type }) => ({ name: named ? name : undefined, fallback: type })))
  const inputNames = uniqueNames(inputs.map(({ options }) => ({ name: options.name, fallback: 'input' })))
  const places = new Map([...inputs, ...order].map((node, place) => [node, place]))
  const parameters = new Map<Layer, readonly Parameter[]>()
  for (const { origin } of order) {
    const { layer, nodes } = origin!
    const name = names[indices.get(layer)!]!
    const found = parametersOf(layer, nodes, labelOf(layer.type, name)).map((parameter) => ({
      ...parameter,
      name: `${name}/${parameter.name}`,
    }))
    for (const { name: full, shape, initializer } of found) checkFits(initializer, shape, `"${full}"`)
    checkShared(parameters.get(layer), found, labelOf(layer.type, name))
    parameters.set(layer, found)
  }
  const calls = order.map(({ origin, shape }) => ({
    layer: indices.get(origin!.layer)!,
    inputs: origin!.nodes.map((node) => places.get(node)!),
    shape,
  }))
  const outputNames = uniqueNames(
    outputs.map((node) => {
      const place = places.get(node)!
      return { name: undefined, fallback: node.origin ? names[calls[place - inputs.length]!.layer]! : inputNames[place]! }
    }),
  )
  const placed = layers.map((layer, index) => ({ layer, name: names[index]!, parameters: parameters.get(layer)! }))
  return {
    frozen: frozenAtFirst(placed),
    inputs: inputs.map(({ shape, options: { normalize } }, index) => ({
      name: inputNames[index]!,
      shape: shape.slice(1) as number[],
      ...(normalize && { normalize }),
    })),
    layers: placed,
    calls,
    outputs: outputs.map((node, index) => ({
      name: outputNames[index]!,
      shape: node.shape.slice(1) as number[],
      place: places.get(node)!,
    })),
  }
}

/** Adds the network to a graph. `inputs` in the order of the architecture's; `training` as in `BuildContext`. */
export function buildGraph({ layers, calls, outputs, frozen }: Architecture, inputs: readonly Value[], training: boolean): GraphOf {
  const parameters = new Map(
    layers.flatMap((layer) => layer.parameters.map(({ name, shape }) => [name, parameterValue(name, shape)] as const)),
  )
  const places = [...inputs]
  const averages: Average[] = []
  const activities: Penalty[] = []
  calls.forEach((call, stream) => {
    const placed = layers[call.layer]!
    const { layer, name, parameters: own } = placed
    const label = labelOf(layer.type, name)
    const find = finder(parameters, label)
    const context = {
      name,
      training,
      frozen: isFrozen(frozen, placed),
      stream,
      parameter: (parameter: string) => find(`${name}/${parameter}`),
      average: (parameter: string, value: Value, momentum: number) => {
        if (!training) return
        const full = `${name}/${parameter}`
        find(full)
        if (own.find((other) => other.name === full)!.trained !== false) {
          throw new ConvlaneError('INVALID_ARGUMENT', `${label}: "${parameter}" is trained and cannot be an average`, {
            received: parameter,
          })
        }
        averages.push({ parameter: full, value, momentum: checkNumber(momentum, label, 'momentum', { low: 0, high: 1 }) })
      },
    }
    const values = call.inputs.map((place) => places[place]!)
    const value = layer.build(context, values)
    places.push(value)
    if (layer.activityRegularizer) activities.push({ value, regularizer: layer.activityRegularizer })
  })
  return { places, outputs: outputs.map(({ place }) => places[place]!), parameters, averages, activities }
}

export interface GraphOf {
  readonly places: readonly Value[]
  readonly outputs: readonly Value[]
  /** By full name, those that are trained and those that are not. */
  readonly parameters: ReadonlyMap<string, Value>
  /** What statistics follow, when the graph is for training. */
  readonly averages: readonly Average[]
  /** Results that add to the loss. */
  readonly activities: readonly Penalty[]
}

function checkEnds(inputs: readonly Node[], outputs: readonly Node[]): void {
  for (const [what, nodes] of [
    ['inputs', inputs],
    ['outputs', outputs],
  ] as const) {
    if (nodes.length > 0 && nodes.every((node) => node instanceof Node)) continue
    const message = `network: ${what} must be a node or an array of nodes, received ${valueText(nodes)}`
    throw new ConvlaneError('INVALID_ARGUMENT', message, { received: nodes })
  }
  if (new Set(inputs).size !== inputs.length || inputs.some((node) => node.origin)) {
    throw new ConvlaneError('INVALID_ARGUMENT', 'network: inputs must be different nodes made by input()', { received: inputs })
  }
}

/** The nodes that layers compute, each after those it reads. Iterative: networks may be thousands of layers deep. */
function callOrder(inputs: readonly Node[], outputs: readonly Node[]): Node[] {
  const order: Node[] = []
  const seen = new Set<Node>(inputs)
  for (const output of outputs) {
    const stack = [{ node: output, next: 0 }]
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const { node } = top
      if (!node.origin && !seen.has(node)) {
        const message = `network: an output needs an input ${shapeText(node.shape)} that is not among the inputs`
        throw new ConvlaneError('INVALID_ARGUMENT', message, { received: node.shape })
      }
      const below = node.origin?.nodes[top.next++]
      if (seen.has(node)) stack.pop()
      else if (below) stack.push({ node: below, next: 0 })
      else {
        seen.add(node)
        order.push(node)
        stack.pop()
      }
    }
  }
  return order
}

function uniqueNames(wanted: readonly { readonly name: string | undefined; readonly fallback: string }[]): string[] {
  const taken = new Set<string>()
  for (const { name } of wanted) {
    if (name === undefined) continue
    if (taken.has(name))
      throw new ConvlaneError('INVALID_ARGUMENT', `network: two of its parts have the name "${name}"`, { received: name })
    taken.add(name)
  }
  const next = new Map<string, number>()
  return wanted.map(({ name, fallback }) => {
    if (name !== undefined) return name
    for (let number = next.get(fallback) ?? 0; ; number++) {
      const free = number === 0 ? fallback : `${fallback}_${number}`
      if (taken.has(free)) continue
      taken.add(free)
      next.set(fallback, number + 1)
      return free
    }
  })
}

function checkShared(before: readonly Parameter[] | undefined, now: readonly Parameter[], label: string): void {
  if (!before) return
  now.forEach(({ name, shape }, index) => {
    const expected = before[index]!.shape
    if (sameShape(expected, shape)) return
    const message = `${label}: used twice, but ${name} would have shape ${shapeText(shape)}, not ${shapeText(expected)} as before`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected, received: shape })
  })
}
