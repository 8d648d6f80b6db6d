import { nodeOf } from '../graph/apply'
import type { Value } from '../graph/value'
import type { Attributes, OpDefinition } from '../ops/op'
import { align, elementCount } from '../shape'

/** A step before it has addresses. The compiler's passes take lists of tasks and give new ones; a task is never changed. */
export interface Task {
  readonly op: OpDefinition
  readonly attributes: Attributes
  readonly label: string | undefined
  /** In the order of the node's inputs. */
  readonly inputs: readonly (Value | undefined)[]
  /** In the order of the op's outputs; `undefined` for one that is left out. */
  readonly outputs: readonly (Value | undefined)[]
}

/** The value whose memory a value lies in: itself, or what it is a reshape of. */
export function rootOf(value: Value): Value {
  let root = value
  for (let node = nodeOf(root); node?.op.alias; node = nodeOf(root)) root = node.inputs[0]!
  return root
}

/** Whether steps compute it: inputs of the run and parameters have their own memory. */
export function isComputed(root: Value): boolean {
  return 'node' in root.origin || root.origin.kind === 'one'
}

/** Whether it is a parameter, or one of these computed roots. */
export function isConstant(value: Value, constants: ReadonlySet<Value>): boolean {
  const root = rootOf(value)
  return constants.has(root) || ('kind' in root.origin && root.origin.kind === 'state')
}

/** How often each root is read or given back. */
export function usesOf(tasks: readonly Task[], kept: readonly Value[]): Map<Value, number> {
  const uses = new Map<Value, number>()
  for (const value of [...kept, ...tasks.flatMap(({ inputs }) => inputs)]) {
    if (value) uses.set(rootOf(value), (uses.get(rootOf(value)) ?? 0) + 1)
  }
  return uses
}

/** Elements at capacity, a multiple of 16. */
export function roomFor(value: Value, capacity: number): number {
  return align(elementCount(value.shape, 'program', capacity))
}

/** The roots that a task reads, each once. */
export function rootsRead(task: Task): Set<Value> {
  return new Set(task.inputs.filter((input) => input !== undefined).map(rootOf))
}
