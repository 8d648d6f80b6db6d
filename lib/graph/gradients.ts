import { invalid } from '../check'
import { ConvlaneError } from '../errors'
import { add } from '../ops/add'
import { sameShape, shapeText } from '../shape'
import { labelOf, nodeOf } from './apply'
import type { OpNode } from './node'
import { oneValue } from './sources'
import { Value } from './value'

/** A value to differentiate and the gradient that arrives at it. */
export interface Seed {
  /** What is differentiated. */
  readonly of: Value
  /** Of the value's shape. Default: 1, for a value of one element (a loss). */
  readonly gradient?: Value
}

/**
 * Reverse mode: the gradient of Σ seeds by each of `by`, in order; `undefined` where no gradient arrives, class
 * numbers among them. A value used several times gets the sum.
 * Only what `by` needs is built, and only the first derivative: throws `UNSUPPORTED` for an op on the way that has no gradient, such as a backward op;
 * `INVALID_ARGUMENT` for tensors, which remember no ops.
 */
export function gradients(seeds: readonly Seed[], by: readonly Value[]): (Value | undefined)[] {
  const isList = Array.isArray(seeds)
  checkValues(isList ? seeds.flatMap((seed) => [seed?.of, ...(seed?.gradient === undefined ? [] : [seed.gradient])]) : [undefined], 'seeds')
  checkValues(Array.isArray(by) ? by : [undefined], 'by')
  const order = forwardOrder(seeds.map((seed) => seed.of))
  const needed = new Set<Value>(by.filter((value) => value.dtype === 'float32'))
  for (const node of order) {
    if (!node.inputs.some((input) => input && needed.has(input))) continue
    for (const output of node.outputs) needed.add(output)
  }

  const arrived = new Map<Value, Value>()
  const accumulate = (value: Value, gradient: Value) => {
    const before = arrived.get(value)
    arrived.set(value, before ? add(before, gradient) : gradient)
  }
  for (const seed of seeds) accumulate(seed.of, seedOf(seed))

  for (const node of order.reverse()) {
    const wanted = node.inputs.map((input) => input !== undefined && needed.has(input))
    if (!wanted.includes(true)) continue
    const dy = node.outputs.map((output) => arrived.get(output))
    if (dy.every((gradient) => gradient === undefined)) continue
    if (!node.op.gradient)
      throw new ConvlaneError('UNSUPPORTED', `${labelOf(node.op.name, node.label)} has no gradient`, { received: node.op.name })
    node.op.gradient(node, dy, wanted).forEach((gradient, index) => {
      if (gradient && wanted[index]) accumulate(node.inputs[index]!, gradient)
    })
  }
  return by.map((value) => arrived.get(value))
}

function checkValues(values: readonly unknown[], argument: string): void {
  const wrong = values.findIndex((value) => !(value instanceof Value))
  if (wrong >= 0) throw invalid('gradients', argument, 'an array of values of a graph, as functions of ops get them', values[wrong])
}

function seedOf({ of, gradient }: Seed): Value {
  if (!gradient) {
    if (of.shape.length === 0) return oneValue()
    const message = `gradients: a loss must have one element, shape [], received ${shapeText(of.shape)}`
    throw new ConvlaneError('INVALID_SHAPE', message, { expected: [], received: of.shape })
  }
  if (sameShape(of.shape, gradient.shape)) return gradient
  const message = `gradients: the gradient of a value of shape ${shapeText(of.shape)} has shape ${shapeText(gradient.shape)}`
  throw new ConvlaneError('INVALID_SHAPE', message, { expected: of.shape, received: gradient.shape })
}

/** The nodes that the values depend on, each after those it reads. Iterative: networks may be thousands of nodes deep. */
export function forwardOrder(values: readonly Value[]): OpNode[] {
  const order: OpNode[] = []
  const seen = new Set<OpNode>()
  const stack: { node: OpNode; next: number }[] = []
  const enter = (value: Value | undefined) => {
    const node = value && nodeOf(value)
    if (!node || seen.has(node)) return
    seen.add(node)
    stack.push({ node, next: 0 })
  }
  for (const value of values) {
    enter(value)
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      if (top.next < top.node.inputs.length) enter(top.node.inputs[top.next++])
      else order.push(stack.pop()!.node)
    }
  }
  return order
}
