import { ConvlaneError } from '../../../errors'
import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import type { Tensor } from '../../../tensor'
import type { NodeProto, TensorProto } from '../schema'
import { Arranger } from './arranger'
import { Attributes, MOST } from './attributes'
import type { Constant } from './constant'
import { Failure } from './failure'
import { readTensor } from './tensor'
import { product, shapeOf, type View } from './view'

/** x · Φ(x) as older exporters write it, on its way: erf(x / √2), or that plus 1, of a view x. */
export interface ErfOf {
  readonly erfOf: View
  readonly plusOne: boolean
}

/** A tensor of the file while it is read. */
export type Operand = View | Constant | ErfOf
export const isView = (operand: Operand): operand is View => 'node' in operand
export const isConstant = (operand: Operand): operand is Constant => 'data' in operand

/** How a weight of a layer comes from the file: made when all is read, so that layers that were left out cost nothing. */
export type Fill = () => Float32Array

/** Weights of a layer. */
export interface Weights {
  /** What they are made from, and how: layers of the same key are one, with one set of weights. */
  readonly key: string
  /** Names in the file, of which the first names the layer. */
  readonly from: readonly string[]
  readonly fills: Readonly<Record<string, Fill>>
}

/** A layer that a bias may still be put into. */
export interface Biasable {
  readonly withBias: (bias: Constant, name: string) => View | undefined
}

/** Most elements of a sample, at any place of a network. */
const MOST_ELEMENTS = 2 ** 31

/** A graph of the file while it is read, node by node. */
export class Importer {
  readonly arranger = new Arranger()
  readonly operands = new Map<string, Operand>()
  /** How often each tensor of the file is read; an output of the graph counts. */
  readonly uses = new Map<string, number>()
  /** Names of the graph's outputs. */
  readonly ends = new Set<string>()
  readonly biasable = new Map<Node, Biasable>()
  readonly #initializers = new Map<string, TensorProto>()
  readonly #taken = new Set<string>()
  /** By the name wanted: the first number that may be free; and what each name is made of. */
  readonly #next = new Map<string, number>()
  readonly #numbered = new Map<string, readonly [base: string, number: number]>()
  readonly #layers = new Map<string, Layer>()
  readonly #keys = new Map<Layer, string>()
  readonly #applied = new Map<Layer, number>()
  /** Which tensor of the file a node was made for. */
  readonly #madeFor = new Map<Node, string>()
  readonly #fills = new Map<Layer, Readonly<Record<string, Fill>>>()
  #used = 0

  /**
   * @param budget most elements that constants and weights may take: a small file that makes many of one tensor would fill the memory
   * @throws INVALID_FILE for names that are given twice
   */
  constructor(
    readonly source: string,
    readonly opset: number,
    initializers: readonly TensorProto[],
    private readonly outside: ReadonlyMap<TensorProto, Uint8Array>,
    private readonly budget: number,
    /** The size of the batch, where the file has one. */
    readonly batch: number | undefined,
  ) {
    for (const tensor of initializers) {
      if (this.#initializers.has(tensor.name)) throw this.fail(`initializer "${tensor.name}"`).damaged('the name appears twice')
      this.#initializers.set(tensor.name, tensor)
    }
  }

  fail(what: string): Failure {
    return new Failure(`${this.source}: ${what}`)
  }

  isInitializer(name: string): boolean {
    return this.#initializers.has(name)
  }

  /** What a name stands for; initializers are read when they are first asked for. */
  operand(name: string): Operand | undefined {
    const known = this.operands.get(name)
    if (known) return known
    const tensor = this.#initializers.get(name)
    if (!tensor) return undefined
    const constant = this.read(tensor, this.fail(`initializer "${name}"`))
    this.operands.set(name, constant)
    return constant
  }

  read(tensor: TensorProto, fail: Failure): Constant {
    const constant = readTensor(tensor, fail, this.outside.get(tensor))
    this.spend(constant.data.length, fail)
    return constant
  }

  /** Keeps what a name stands for. @throws INVALID_FILE for one that has a meaning already */
  define(name: string, operand: Operand, fail: Failure): void {
    if (this.operands.has(name) || this.#initializers.has(name)) throw fail.damaged(`makes "${name}", which there is already`)
    this.checkSize(operand, fail)
    this.operands.set(name, operand)
    if (isView(operand) && !this.#madeFor.has(operand.node)) this.#madeFor.set(operand.node, name)
  }

  /** Whether a tensor is what its node was made for, and read once: then another layer may take the node's place. */
  isAlone(name: string): boolean {
    const operand = this.operands.get(name)
    return operand !== undefined && isView(operand) && this.#madeFor.get(operand.node) === name && this.uses.get(name) === 1
  }

  /** Counts elements that take memory. @throws UNSUPPORTED */
  spend(elements: number, fail: Failure): void {
    this.#used += elements
    if (this.#used > this.budget) throw fail.unsupported('what is made of the constants of this file is many times larger than the file')
  }

  attributes(proto: NodeProto, fail: Failure): Attributes {
    return new Attributes(proto, fail, ({ t, name }) => {
      if (!t) throw fail.damaged(`attribute ${name} holds no tensor`)
      return this.read(t, fail)
    })
  }

  /** A name for a layer that no other has, from one of the file's: `/block.0/conv/Conv` is `block.0.conv.Conv`. */
  name(wanted: string): string | undefined {
    const base = wanted.replace(/^[/.:]+/, '').replaceAll('/', '.')
    if (base === '') return undefined
    for (let number = this.#next.get(base) ?? 0; ; number++) {
      const name = number === 0 ? base : `${base}_${number}`
      if (this.#taken.has(name)) continue
      this.#taken.add(name)
      this.#next.set(base, number + 1)
      this.#numbered.set(name, [base, number])
      return name
    }
  }

  /**
   * Applies a layer, one for all nodes of the file that say the same of the same weights.
   * @param make gives the layer, with the name if there is one
   */
  layer(nodes: readonly Node[], nodeName: string, make: (named: { name?: string }) => Layer, weights?: Weights): Node {
    const key = weights && `${weights.key} ${JSON.stringify(make({}).config())}`
    const known = key === undefined ? undefined : this.#layers.get(key)
    const name = known ? undefined : this.name(weights?.from[0] === undefined ? nodeName : layerName(weights.from[0]))
    const layer = known ?? make(name === undefined ? {} : { name })
    const node = layer.apply(...nodes)
    this.#applied.set(layer, (this.#applied.get(layer) ?? 0) + 1)
    if (key !== undefined) {
      this.#layers.set(key, layer)
      this.#keys.set(layer, key)
    }
    if (weights) this.#fills.set(layer, weights.fills)
    return node
  }

  /** Frees a name that a layer had which another takes the place of. */
  release(node: Node): void {
    const layer = node.origin?.layer
    if (!layer?.named || this.#applied.get(layer) !== 1) return
    this.#applied.delete(layer)
    this.#taken.delete(layer.name)
    this.#next.set(...this.#numbered.get(layer.name)!)
    this.#layers.delete(this.#keys.get(layer) ?? '')
  }

  /** The weights of a layer that became part of the model, by the names of its parameters. */
  async weightsOf(layer: Layer, shapes: ReadonlyMap<string, readonly number[]>): Promise<[string, Tensor][]> {
    const fills = this.#fills.get(layer) ?? {}
    const made: [string, Tensor][] = []
    for (const [parameter, shape] of shapes) {
      const data = fills[parameter]?.()
      if (data?.length !== product(shape)) {
        throw this.fail(`layer "${layer.name}"`).damaged(`${parameter} has ${data?.length ?? 0} numbers, expected ${product(shape)}`)
      }
      made.push([parameter, { shape, data }])
      await new Promise(setImmediate)
    }
    return made
  }

  /** Refuses tensors that nothing could hold, and axes that take long to look at. */
  checkSize(operand: Operand, fail: Failure): void {
    if (!isView(operand)) return
    const sizes = shapeOf(operand).map((size) => size ?? 1)
    if (sizes.every((size) => size >= 1 && size <= MOST) && product(sizes) <= MOST_ELEMENTS) return
    throw fail.unsupported(`makes a tensor of [${sizes.join(', ')}]: an axis has 1 to 2^24 places, a sample at most 2^31 elements`)
  }
}

/** The layer's part of the name of its weight: `features.0` of `features.0.weight`, `conv2d_1` of `conv2d_1/kernel`; else all of it. */
function layerName(weight: string): string {
  return /^(.*[^/.])[/.][A-Za-z]+$/.exec(weight)?.[1] ?? weight
}

/** Runs what may throw errors of layers, which are put where in the file they are from. */
export function inFile<T>(fail: Failure, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const isOfLayer = error instanceof ConvlaneError && error.code !== 'INVALID_FILE' && error.code !== 'UNSUPPORTED'
    throw isOfLayer ? fail.of(error) : error
  }
}
