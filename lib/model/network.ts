import { checkOptions } from '../check'
import type { Samples } from '../data/dataset'
import type { Node } from '../layers/node'
import { architectureOf } from './architecture'
import { Model, type ModelOptions, type RankedTensor } from './model'

/** Options of {@link network}. */
export interface NetworkOptions<I, O> extends ModelOptions {
  /** One node of {@link input}, or several. */
  readonly inputs: I
  /** What the model gives: one node, or several. */
  readonly outputs: O
}

/** What `predict` takes: samples for the one input; for several an array in their order, or an object by their names. */
export type SamplesFor<I> = I extends readonly unknown[]
  ? { readonly [K in keyof I]: Samples } | Readonly<Record<string, Samples>>
  : Samples

/** What `predict` gives: a tensor for the one output, an array for several. */
export type TensorsOf<O> =
  O extends Node<infer R>
    ? RankedTensor<R>
    : O extends readonly [Node<infer R>]
      ? RankedTensor<R>
      : { readonly [K in keyof O]: O[K] extends Node<infer R> ? RankedTensor<R> : never }

/**
 * A model of any graph of layers: `const x = input([28, 28, 1]); network({ inputs: x, outputs: dense(10).apply(flatten().apply(x)) })`.
 * Outputs are named after their layers; one node may feed many layers, and one layer used twice has one set of weights.
 * @throws INVALID_ARGUMENT, INVALID_SHAPE
 */
export function network<const I extends Node | readonly Node[], const O extends Node | readonly Node[]>(
  options: NetworkOptions<I, O>,
): Model<SamplesFor<I>, TensorsOf<O>> {
  checkOptions('network', options, ['inputs', 'outputs', 'seed', 'runtime'])
  const { inputs, outputs, ...modelOptions } = options
  const listed = (nodes: Node | readonly Node[]) => (Array.isArray(nodes) ? nodes : [nodes])
  return new Model(architectureOf(listed(inputs), listed(outputs)), modelOptions)
}
