import { checkName, invalid } from '../check'
import { ConvlaneError } from '../errors'
import { labelOf } from '../graph/apply'
import { inputValue, parameterValue } from '../graph/sources'
import type { SymbolicShape, TensorType, Value } from '../graph/value'
import type { Constraint, Incoming } from '../ops/constrain'
import { shapeText, valueText } from '../shape'
import type { Initializer } from './initializers'
import { Node } from './node'
import { type After, dimensions, type Fits, type FitsFirst, flattenHint, type Rank } from './rank'
import type { Regularizer } from './regularizers'
import type { TrainingOptions } from './weights'

declare const inRank: unique symbol
declare const outRank: unique symbol

/** A tensor of a layer that a model keeps and saves: a weight, which training changes, or a statistic. Its full name is `layer/name`. */
export interface Parameter {
  /** Unique within the layer: `kernel`, `bias`, … */
  readonly name: string
  /** Sizes: no batch. */
  readonly shape: readonly number[]
  /** How it begins. */
  readonly initializer: Initializer
  /** False: a statistic. The optimizer leaves it alone; it follows what `BuildContext.average` is given. Default true. */
  readonly trained?: boolean
  /** What it adds to the loss, while it is trained. Default: nothing. */
  readonly regularizer?: Regularizer
  /** What it must be after each update. Default: anything. */
  readonly constraint?: Constraint
  /**
   * The shape as `[before, outputs, after]`: norms of a constraint are over the first and the last. Default: the last axis is the outputs', `[…, outputs, 1]`; of a
   * vector, one norm.
   */
  readonly incoming?: Incoming
}

/** What a layer is given when a model is compiled. */
export interface BuildContext {
  /** The layer's name within the model: ops take it as their `name`, for messages and profiles. */
  readonly name: string
  /** Whether the graph is for training (dropout acts) or for inference. */
  readonly training: boolean
  /** Whether the layer's weights are left as they are in training: `trainable` is false, or `Model.freeze` says so. */
  readonly frozen?: boolean
  /** Number of this call of a layer within the model: the random stream that it draws from. */
  readonly stream: number
  /** The parameter of that name, one of those of `parameters`. */
  parameter(name: string): Value
  /**
   * Says that each step of training ends with: the parameter of that name becomes momentum · itself + (1 − momentum) · value. For statistics: of a parameter with
   * `trained: false`. Nothing happens outside training.
   */
  average(name: string, value: Value, momentum: number): void
}

/** Options of a layer as JSON: what `save` writes and what its maker takes back. */
export type LayerConfig = Readonly<Record<string, unknown>>

type Fitting<L, N extends readonly Node[]> = {
  [K in keyof N]: N[K] extends Node<infer R> ? (Fits<R, L> extends L ? FitsFirst<FirstRank<N>, R, L, N[K]> : Fits<R, L>) : N[K]
}
type FirstRank<N extends readonly Node[]> = N extends readonly [Node<infer R>, ...unknown[]] ? R : unknown
type NodeAfter<L, N extends readonly Node[]> = N extends readonly [Node<infer R>, ...unknown[]] ? Node<After<R, L>> : Node

/**
 * A layer from rank I to rank O; I = `'any'` takes every rank, O = `'same'` gives what came. Holds options, no weights: those belong to the model.
 * One layer used at several places of a network has one set of weights.
 *
 * A layer of your own extends this class: `parameters` names what it trains, `build` computes with the functions of `convlane/ops`.
 */
export abstract class Layer<I extends Rank | 'any' = Rank | 'any', O extends Rank | 'same' = Rank | 'same', Name extends string = string> {
  /** Only for the compiler: the rank that goes in. */
  declare readonly [inRank]: I
  /** Only for the compiler: the rank that comes out. */
  declare readonly [outRank]: O

  /** The kind of layer, as `conv2d`: default for names, and what `loadModel` finds its maker by. */
  abstract readonly type: string
  /** The name given, else the type. A model makes names unique: `conv2d`, `conv2d_1`, … */
  readonly name: Name
  /** Whether the name was given. */
  readonly named: boolean
  /** Rank that it takes; absent: any. */
  readonly rank?: Rank
  /** How many nodes it is applied to; absent: two or more. */
  readonly arity?: number
  /** Whether training changes its weights. */
  readonly trainable: boolean
  /** What its result adds to the loss. */
  readonly activityRegularizer: Regularizer | undefined

  /** The type, which is also the default of the name, and the name if one was given. Throws INVALID_ARGUMENT for a bad name. */
  constructor(type: string, name: string | undefined, { trainable = true, activityRegularizer }: TrainingOptions = {}) {
    this.trainable = trainable
    this.activityRegularizer = activityRegularizer
    this.named = name !== undefined
    this.name = (name === undefined ? type : checkName(name, type)) as Name
  }

  /** What the layer was made with. */
  abstract config(): LayerConfig

  /** What it trains, given the types of its inputs; shapes have `null` as batch. */
  parameters(_inputs: readonly TensorType[], _label: string): readonly Parameter[] {
    return []
  }

  /** The layer's output, by functions of `convlane/ops` on values. */
  abstract build(context: BuildContext, inputs: readonly Value[]): Value

  /**
   * Puts the layer into a network, behind one node (or several: `add`, `concat`).
   * @throws INVALID_SHAPE, INVALID_ARGUMENT where the nodes do not fit, beginning with the layer's name
   */
  apply<L extends Layer, const N extends readonly Node[]>(this: L, ...nodes: Fitting<L, N>): NodeAfter<L, N> {
    const given: readonly unknown[] = nodes
    const label = labelOf(this.type, this.named ? this.name : undefined)
    for (const node of given) if (!(node instanceof Node)) throw invalid(label, 'apply', 'called with nodes', node)
    const origin = { layer: this as Layer, nodes: given as readonly Node[] }
    return new Node(outputShape(this, origin.nodes, label), origin) as NodeAfter<L, N>
  }
}

function checkInputs(layer: Layer, nodes: readonly Node[], label: string): void {
  const count = layer.arity ?? 2
  if (layer.arity === undefined ? nodes.length < count : nodes.length !== count) {
    const expected = layer.arity === undefined ? `${count} inputs or more` : `${count} input${count === 1 ? '' : 's'}`
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: takes ${expected}, received ${nodes.length}`, {
      expected,
      received: nodes.length,
    })
  }
  for (const { shape } of nodes) {
    if (layer.rank === undefined || shape.length === layer.rank) continue
    const expected = `rank ${layer.rank} ${dimensions[layer.rank]}`
    const hint = layer.rank === 2 ? flattenHint : ''
    throw new ConvlaneError('INVALID_SHAPE', `${label}: takes ${expected} but gets rank ${shape.length} ${shapeText(shape)}${hint}`, {
      expected,
      received: shape,
    })
  }
}

/** The layer's parameters behind these nodes, checked. */
export function parametersOf(layer: Layer, nodes: readonly Node[], label: string): readonly Parameter[] {
  return layer.parameters(
    nodes.map(({ shape }) => ({ shape, dtype: 'float32' })),
    label,
  )
}

function outputShape(layer: Layer, nodes: readonly Node[], label: string): SymbolicShape {
  checkInputs(layer, nodes, label)
  const parameters = new Map(parametersOf(layer, nodes, label).map(({ name, shape }) => [name, parameterValue(name, shape)]))
  const context = { name: layer.name, training: false, frozen: false, stream: 0, parameter: finder(parameters, label), average: () => {} }
  const inputs = nodes.map(({ shape }, index) => inputValue(`x${index}`, shape))
  const output = layer.build(context, inputs)
  if (output.shape[0] !== null) {
    throw new ConvlaneError('INVALID_SHAPE', `${label}: its output ${valueText(output.shape)} has lost the batch`, {
      received: output.shape,
    })
  }
  return output.shape
}

/** A `BuildContext.parameter` over a map. */
export function finder(parameters: ReadonlyMap<string, Value>, label: string): (name: string) => Value {
  return (name) => {
    const value = parameters.get(name)
    if (value) return value
    throw new ConvlaneError('INVALID_ARGUMENT', `${label}: no parameter is named "${name}"`, { received: name })
  }
}
