import { forwardOrder } from '../graph/gradients'
import type { Value } from '../graph/value'
import { fillOp } from '../ops/fill'
import { rootOf, rootsRead, type Task } from './task'

/**
 * The tasks that compute the roots of `kept`, in an order in which each comes after those it reads: dead code, reshapes and optional outputs that
 * nothing reads are left out, and the number 1 is a task where it is read.
 */
export function collectTasks(kept: readonly Value[]): Task[] {
  const tasks: Task[] = forwardOrder(kept)
    .filter((node) => !node.op.alias)
    .map(({ op, attributes, inputs, outputs, label }) => ({ op, attributes, inputs, outputs, label }))
  const read = new Set(kept.map(rootOf))
  for (const task of tasks) for (const root of rootsRead(task)) read.add(root)

  const ones = [...read].filter(({ origin }) => 'kind' in origin && origin.kind === 'one')
  const fills: Task[] = ones.map((one) => ({
    op: fillOp,
    attributes: { value: 1, shape: [] },
    inputs: [],
    outputs: [one],
    label: undefined,
  }))
  const pruned = tasks.map((task): Task => {
    const { outputs: names, optionalOutputs } = task.op
    return {
      ...task,
      outputs: task.outputs.map((output, index) => (read.has(output!) || !optionalOutputs?.includes(names[index]!) ? output : undefined)),
    }
  })
  return [...fills, ...pruned]
}
