import type { Layer } from '../../../layers/layer'
import type { Node } from '../../../layers/node'
import type { NodeProto } from '../schema'
import type { Attributes } from './attributes'
import { type Constant, isFloat } from './constant'
import type { Failure } from './failure'
import { type Importer, isConstant, isView, type Operand, type Weights } from './importer'
import { shapeOf, type View } from './view'

/** Reads a node of the file: gives its outputs. */
export type Operator = (call: Call) => Operand | readonly Operand[]

/** A node of the file, with what it reads. */
export class Call {
  readonly op: string
  readonly opset: number
  readonly attributes: Attributes
  readonly inputs: readonly (Operand | undefined)[]

  constructor(
    readonly graph: Importer,
    readonly proto: NodeProto,
    readonly fail: Failure,
  ) {
    this.op = proto.opType
    this.opset = graph.opset
    this.attributes = graph.attributes(proto, fail)
    this.inputs = proto.input.map((name) => {
      if (name === '') return undefined
      const operand = graph.operand(name)
      if (operand) return operand
      throw fail.damaged(`reads "${name}", which nothing before it makes (nodes must stand in order, without cycles)`)
    })
  }

  get arranger() {
    return this.graph.arranger
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined
  }

  /** An input that must be there. */
  operand(index: number): Operand {
    const operand = this.inputs[index]
    if (operand) return operand
    throw this.fail.damaged(`input ${index} is missing`)
  }

  /** An input that is computed. @throws UNSUPPORTED for a constant */
  view(index = 0): View {
    const operand = this.operand(index)
    if (isView(operand)) return operand
    const what = isConstant(operand) ? 'is a constant' : 'is an erf outside of a gelu'
    throw this.fail.unsupported(`input ${index} "${this.proto.input[index]}" ${what}`)
  }

  /**
   * An input that must be known: an initializer, or what follows from constants and shapes.
   * @param orRepeated whether it may be one that is repeated for each sample
   * @throws UNSUPPORTED
   */
  constant(index: number, orRepeated = false): Constant {
    const operand = this.operand(index)
    if (isConstant(operand)) {
      if (!operand.isRepeated || orRepeated) return operand
      throw this.fail.unsupported(`input ${index} "${this.proto.input[index]}" is repeated for each sample`)
    }
    throw this.fail.unsupported(`input ${index} "${this.proto.input[index]}" is computed, understood is a constant`)
  }

  /** Float32 numbers that are known. */
  floats(index: number): Constant & { readonly data: Float32Array } {
    const constant = this.constant(index)
    if (isFloat(constant)) return constant
    throw this.fail.unsupported(`input ${index} "${this.proto.input[index]}" holds whole numbers, understood are floats`)
  }

  /** Weights `[count]`. */
  vector(index: number, count: number): Float32Array {
    const { data, shape } = this.floats(index)
    if (data.length === count) return data
    throw this.fail.damaged(`input ${index} "${this.proto.input[index]}" has shape [${shape.join(', ')}], expected [${count}]`)
  }

  /** Whole numbers that are known; the batch is none. */
  ints(index: number): number[] {
    return this.sizes(index).map((value) => {
      if (value === null) throw this.fail.unsupported(`input ${index} "${this.proto.input[index]}" follows from the size of the batch`)
      return value
    })
  }

  /** Whole numbers that are known, `null` the batch. */
  sizes(index: number): (number | null)[] {
    const constant = this.constant(index)
    if (isFloat(constant)) throw this.fail.damaged(`input ${index} "${this.proto.input[index]}" holds floats, expected whole numbers`)
    return [...(constant.data as readonly (number | null)[])]
  }

  /** Axes, or the like, that older versions have as an attribute and newer ones as an input. */
  list(name: string, index: number): number[] | undefined {
    if (this.has(index)) return this.ints(index)
    return this.attributes.ints(name)
  }

  /** An axis by its number, negative ones counting from the end. */
  axis(value: number, rank: number): number {
    if (value >= -rank && value < rank) return value < 0 ? value + rank : value
    throw this.fail.damaged(`axis ${value} of a tensor of ${rank} axes`)
  }

  /** Applies a layer to nodes. */
  layer(nodes: Node | readonly Node[], make: (named: { name?: string }) => Layer, weights?: Weights): Node {
    const end = this.proto.output.find((name) => this.graph.ends.has(name))
    return this.graph.layer('shape' in nodes ? [nodes] : nodes, end ?? this.proto.name, make, weights)
  }

  /** Applies a layer that keeps shapes and works on each element by itself. */
  elementwise(view: View, make: (named: { name?: string }) => Layer): View {
    return { node: this.layer(view.node, make), axes: view.axes }
  }

  /** Whether nothing else reads this input, so that another layer may take the place of what made it. */
  isAlone(index: number): boolean {
    return this.graph.isAlone(this.proto.input[index]!)
  }

  /** Names of the inputs from there on, as parts of the key of weights. */
  names(from: number): string[] {
    return this.proto.input.slice(from).filter((name) => name !== '')
  }

  shape(index = 0): (number | null)[] {
    return shapeOf(this.view(index))
  }
}
