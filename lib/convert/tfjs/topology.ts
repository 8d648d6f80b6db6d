import type { Layer } from '../../layers/layer'
import { input, type Node } from '../../layers/node'
import { valueText } from '../../shape'
import { classes, type Piece } from './classes'
import { arrayOf, Config, damaged, isObject, type Json, objectOf, textOf, unsupported } from './config'

/** A weight of a layer, and what the file calls it. */
export interface WeightName {
  /** Name of the layer in the file, and of its weight. */
  readonly theirs: readonly [layer: string, weight: string]
  /** The layer and the name of its parameter here. */
  readonly ours: readonly [layer: string, parameter: string]
}

/** What a file describes, as a graph that `architectureOf` takes. */
export interface Topology {
  readonly inputs: readonly Node[]
  readonly outputs: readonly Node[]
  readonly weights: readonly WeightName[]
}

interface Entry {
  readonly type: string
  readonly name: string
  readonly config: Json
  readonly inbound: readonly unknown[]
}

/** A model of the file, itself or one among the layers of another. */
interface Part {
  readonly entries: ReadonlyMap<string, Entry>
  readonly config: Json
  readonly isChain: boolean
  /** Number of the first call of each layer: models that were made with an input of their own begin at 1, call 0 being how they were made. */
  readonly firstCalls: ReadonlyMap<unknown, number>
}

/** Most calls of layers: models within models, each called twice, multiply. */
const MAX_CALLS = 100_000

const modelTypes = ['Sequential', 'Functional', 'Model']

/** @param shapes sizes of one sample, by name of the input, where the file leaves them open; for all inputs under `''` */
export function readTopology(topology: unknown, shapes: ReadonlyMap<string, readonly number[]>): Topology {
  const { model_config: nested, ...own } = objectOf(topology, 'modelTopology')
  const { class_name: type, config } = nested === undefined ? own : objectOf(nested, 'model_config')
  if (!modelTypes.includes(textOf(type, 'class_name of the model')))
    throw unsupported(`the model is a ${type}, expected a Sequential, Functional or Model`, type)
  return new Graph(shapes).whole(partOf(type as string, Array.isArray(config) ? { layers: config } : objectOf(config, 'config')))
}

function partOf(type: string, config: Json): Part {
  const entries = new Map<string, Entry>()
  for (const layer of arrayOf(config.layers, 'layers')) {
    const { class_name: type, config, name: given, inbound_nodes: inbound = [] } = objectOf(layer, 'a layer')
    const fields = objectOf(config, 'config of a layer')
    const name = textOf(given ?? fields.name, 'name of a layer')
    if (entries.has(name)) throw damaged(`two layers have the name "${name}"`, name)
    entries.set(name, {
      type: textOf(type, 'class_name of a layer'),
      name,
      config: fields,
      inbound: arrayOf(inbound ?? [], 'inbound_nodes'),
    })
  }
  if (entries.size === 0) throw damaged('the model has no layers')
  return { entries, config, isChain: type === 'Sequential', firstCalls: firstCalls(entries, config) }
}

/** By the lowest number that is asked for: every call that a file has is. */
function firstCalls(entries: ReadonlyMap<string, Entry>, config: Json): Map<unknown, number> {
  const first = new Map<unknown, number>()
  const calls = [...[...entries.values()].flatMap(({ inbound }) => inbound), config.output_layers]
  for (const call of calls) {
    if (!Array.isArray(call)) continue
    for (const reference of Array.isArray(call[0]) ? call : [call]) {
      if (!Array.isArray(reference)) continue
      const [name, use = 0] = reference
      first.set(name, Math.min(use, first.get(name) ?? 1))
    }
  }
  return first
}

/** One result of one call of a layer. */
interface Reference {
  readonly entry: Entry
  readonly use: number
  readonly output: number
  /** The call. */
  readonly key: string
}

class Graph {
  readonly #shapes: ReadonlyMap<string, readonly number[]>
  readonly #names = new Set<string>()
  readonly #own = new Map<Entry, string>()
  readonly #made = new Map<Entry, readonly Piece[]>()
  readonly #parts = new Map<Entry, Part>()
  readonly #inputs: Node[] = []
  readonly #weights: WeightName[] = []
  #calls = 0

  constructor(shapes: ReadonlyMap<string, readonly number[]>) {
    this.#shapes = shapes
  }

  whole(part: Part): Topology {
    this.#name(part)
    const outputs = this.#results(part)
    return { inputs: this.#inputs, outputs, weights: this.#weights }
  }

  /** What a model makes of these nodes; of inputs of its own, where it is the whole. */
  #results(part: Part, given?: readonly Node[]): Node[] {
    return part.isChain ? [this.#chain(part, given)] : this.#functional(part, given)
  }

  #chain({ entries, config }: Part, given?: readonly Node[]): Node {
    const [first, ...others] = entries.values()
    const isInput = first!.type === 'InputLayer'
    if (given && given.length !== 1) throw damaged(`the model that begins with "${first!.name}" takes one input, received ${given.length}`)
    const name = isInput ? first!.name : this.#free('input')
    let node = given?.[0] ?? this.#input(name, batchShapeOf(first!) ?? config.build_input_shape)
    for (const entry of isInput ? others : entries.values()) node = single(this.#apply(entry, [node]), entry)
    return node
  }

  #functional(part: Part, given?: readonly Node[]): Node[] {
    const { entries, config } = part
    const results = new Map<string, readonly Node[]>()
    const starts = referencesOf(entries, config.input_layers, 'input_layers')
    for (const [index, { entry, key }] of starts.entries()) {
      const node = given ? given[index] : this.#input(entry.name, batchShapeOf(entry))
      if (!node) throw damaged(`a model with ${starts.length} inputs is called with ${given!.length}`)
      results.set(key, [node])
    }
    return referencesOf(entries, config.output_layers, 'output_layers').map((end) => this.#follow(end, part, results))
  }

  /** Depth first, without recursion: files may be thousands of layers deep. */
  #follow(end: Reference, part: Part, results: Map<string, readonly Node[]>): Node {
    const stack = [end]
    const open = new Set<string>()
    while (stack.length > 0) {
      const { entry, use, key } = stack.at(-1)!
      if (results.has(key)) {
        stack.pop()
        continue
      }
      const label = labelOf(entry)
      if (entry.type === 'InputLayer') throw damaged(`${label}: is not among the input_layers`)
      const before = inboundOf(entry, use, part)
      const missing = before.filter((one) => !results.has(one.key))
      if (missing.length === 0) {
        const nodes = before.map((one) => resultOf(results, one))
        results.set(key, this.#apply(entry, nodes))
        continue
      }
      if (open.has(key)) throw damaged(`${label}: depends on its own result`)
      open.add(key)
      stack.push(...missing)
    }
    return resultOf(results, end)
  }

  #input(name: string, batchShape: unknown): Node {
    const given = this.#shapes.get(name) ?? this.#shapes.get('')
    const shape = given ?? arrayOf(batchShape, `batch_input_shape of "${name}"`).slice(1)
    if (shape.some((size) => size === null)) {
      const message = `input "${name}": leaves sizes open, ${valueText(batchShape)}: say them, as importTfjs(file, { input: [224, 224, 3] })`
      throw unsupported(message, batchShape)
    }
    const node = input(shape as number[], { name: nameOf(name) })
    this.#inputs.push(node)
    return node
  }

  #apply(entry: Entry, nodes: readonly Node[]): readonly Node[] {
    if (++this.#calls > MAX_CALLS) throw damaged(`more than ${MAX_CALLS} calls of layers`)
    if (modelTypes.includes(entry.type)) return this.#results(this.#part(entry), nodes)
    let pieces = this.#made.get(entry)
    if (!pieces) {
      pieces = this.#read(entry, nodes)
      this.#made.set(entry, pieces)
      for (const { layer, weights } of pieces)
        for (const [ours, theirs] of Object.entries(weights)) this.#weights.push({ theirs: [entry.name, theirs], ours: [layer.name, ours] })
    }
    return [pieces.reduce((before, { layer }) => [applied(layer, before)], nodes)[0]!]
  }

  /** A model that is a layer of another. Read once, so that its layers are the same at each of its calls. */
  #part(entry: Entry): Part {
    const known = this.#parts.get(entry)
    if (known) return known
    const part = partOf(entry.type, entry.config)
    this.#parts.set(entry, part)
    this.#name(part)
    return part
  }

  #read(entry: Entry, nodes: readonly Node[]): Piece[] {
    const { type, config } = entry
    const label = labelOf(entry)
    const reader = classes.get(type)
    if (!reader) throw unsupported(`${label}: layers of class ${type} are not supported`, type)
    const fields = new Config(label, config)
    const own = this.#own.get(entry)!
    const pieces = reader({ config: fields, shape: nodes[0]!.shape, name: own, free: (suffix) => this.#free(`${own}_${suffix}`) })
    fields.finish()
    return pieces
  }

  /** Names of the whole first: its layers keep theirs. */
  #name({ entries }: Part): void {
    for (const entry of entries.values()) this.#own.set(entry, this.#free(nameOf(entry.name)))
  }

  #free(wanted: string): string {
    let name = wanted
    for (let number = 1; this.#names.has(name); number++) name = `${wanted}_${number}`
    this.#names.add(name)
    return name
  }
}

/** A slash parts layers from weights here. */
const nameOf = (name: string) => name.replaceAll('/', '.')
const labelOf = ({ type, name }: Entry) => `${type} "${name}"`

const applied = (layer: Layer, nodes: readonly Node[]) => (layer.apply as (...nodes: readonly Node[]) => Node).call(layer, ...nodes)

function single(results: readonly Node[], entry: Entry): Node {
  if (results.length === 1) return results[0]!
  throw damaged(`${labelOf(entry)}: gives ${results.length} results, expected one`)
}

/** What the first layer takes: it may be a model itself. */
function batchShapeOf({ type, config }: Entry): unknown {
  const own = config.batch_input_shape ?? config.batch_shape
  if (own !== undefined || !modelTypes.includes(type)) return own
  const { entries, isChain } = partOf(type, config)
  const first = isChain ? [...entries.values()][0] : referencesOf(entries, config.input_layers, 'input_layers')[0]?.entry
  return first && batchShapeOf(first)
}

/** One reference, or several: of what goes in or comes out of a model, or of one call. */
function referencesOf(entries: ReadonlyMap<string, Entry>, value: unknown, what: string): Reference[] {
  const list = arrayOf(value, what)
  return (typeof list[0] === 'string' ? [list] : list).map((one) => referenceOf(entries, one, what))
}

function referenceOf(entries: ReadonlyMap<string, Entry>, reference: unknown, what: string): Reference {
  const [name, use = 0, output = 0, more = {}] = arrayOf(reference, what)
  const entry = entries.get(name as string)
  if (!entry) throw damaged(`${what}: ${valueText(reference)}: there is no such layer`, reference)
  if (!isIndex(use) || !isIndex(output)) throw damaged(`${what}: ${valueText(reference)} is no result of a layer`, reference)
  const given = isObject(more) ? Object.entries(more).filter(([, value]) => value !== null) : []
  if (given.length > 0) throw unsupported(`${what}: the argument ${given[0]![0]} of a call is not supported`, more)
  return { entry, use, output, key: `${use} ${name}` }
}
const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0

/** What a call of a layer is given. */
function inboundOf(entry: Entry, use: number, { entries, firstCalls }: Part): Reference[] {
  const { inbound, name, type } = entry
  const call = inbound[modelTypes.includes(type) ? use - firstCalls.get(name)! : use]
  const label = labelOf(entry)
  if (call === undefined) throw damaged(`${label}: has ${inbound.length} calls, but number ${use} is asked for`)
  if (isObject(call)) throw unsupported(`${label}: its calls are written as Keras 3 does; save it as Keras 2 or TensorFlow.js does`, call)
  const references = referencesOf(entries, call, `inbound_nodes of ${label}`)
  if (references.length > 0) return references
  throw damaged(`${label}: is called with nothing`)
}

function resultOf(results: ReadonlyMap<string, readonly Node[]>, { entry, output, key }: Reference): Node {
  const node = results.get(key)?.[output]
  if (node) return node
  throw damaged(`${labelOf(entry)}: has no result number ${output}`)
}
