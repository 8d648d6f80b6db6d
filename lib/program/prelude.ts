import type { Value } from '../graph/value'
import { isConstant, rootOf, rootsRead, type Task } from './task'

/** The computed roots that are the same on every run as long as the weights are: of tasks that read parameters, constants and each other only. */
export function constantRoots(tasks: readonly Task[], kept: readonly Value[]): Set<Value> {
  // What a run gives back is copied out of the arena.
  const given = new Set(kept.map(rootOf))
  const constants = new Set<Value>()
  for (const task of tasks) {
    const outputs = task.outputs.filter((output) => output !== undefined)
    const changes = task.op.scalars !== undefined || outputs.some((output) => output.shape[0] === null || given.has(output))
    if (changes || ![...rootsRead(task)].every((root) => isConstant(root, constants))) continue
    for (const output of outputs) constants.add(output)
  }
  return constants
}

/** The tasks that need not run again until the weights change, and the others, both in their order. What depends on no weight goes with what reads it. */
export function splitPrelude(tasks: readonly Task[], kept: readonly Value[]): { prelude: Task[]; main: Task[] } {
  const constants = constantRoots(tasks, kept)
  const isOfWeights = new Set<Value>()
  for (const task of tasks) {
    if (!constants.has(task.outputs[0]!)) continue
    const roots = [...rootsRead(task)]
    if (roots.some((root) => !constants.has(root) || isOfWeights.has(root))) for (const output of task.outputs) isOfWeights.add(output!)
  }
  const prelude = new Set<Task>()
  const needed = new Set<Value>()
  for (const task of [...tasks].reverse()) {
    if (!task.outputs.some((output) => output && constants.has(output) && (isOfWeights.has(output) || needed.has(output)))) continue
    prelude.add(task)
    for (const root of rootsRead(task)) needed.add(root)
  }
  return { prelude: tasks.filter((task) => prelude.has(task)), main: tasks.filter((task) => !prelude.has(task)) }
}
