import type { Value } from '../graph/value'
import { sameShape } from '../shape'
import { type Task, usesOf } from './task'

const producers = [
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'dense',
  'add',
  'batchNorm',
  'batchNormInference',
  'layerNorm',
  'rmsNorm',
  'groupNorm',
]
/** What steps take as `activation`; its attributes become theirs. */
const activations = [
  ...['relu', 'sigmoid', 'tanh', 'leakyRelu', 'linearThreshold', 'elu', 'selu', 'gelu', 'geluTanh'],
  ...['silu', 'mish', 'softplus', 'softsign', 'hardSigmoid', 'hardSwish'],
]

/**
 * Merges an activation into the convolution, dense layer, normalization or sum that it is applied to, where nothing else reads what it is applied to. Where
 * backward steps read an activation's result only (relu, tanh, …), training fuses like inference.
 */
export function fuseActivations(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const uses = usesOf(tasks, kept)
  const activationOf = new Map<Value, Task>()
  for (const task of tasks) {
    if (activations.includes(task.op.name) && uses.get(task.inputs[0]!) === 1) activationOf.set(task.inputs[0]!, task)
  }
  const merged = new Set<Task>()
  const fused = tasks.map((task) => {
    const activation = activationOf.get(task.outputs[0]!)
    if (!activation || !producers.includes(task.op.name) || task.attributes.activation !== 'linear') return task
    merged.add(activation)
    return {
      ...task,
      attributes: { ...task.attributes, ...activation.attributes, activation: activation.op.name },
      outputs: [activation.outputs[0], ...task.outputs.slice(1)],
    }
  })
  return fused.filter((task) => !merged.has(task))
}

/**
 * Adds what a residual connection brings within the batch normalization before it, which takes the place of the sum, where nothing else reads what it gives
 * and nothing before the sum reads its statistics.
 */
export function fuseResiduals(tasks: readonly Task[], kept: readonly Value[]): Task[] {
  const uses = usesOf(tasks, kept)
  const normOf = new Map<Value, Task>()
  const replaced = new Map<Task, Task | undefined>()
  for (const task of tasks) {
    if (task.op.name === 'batchNorm' && task.attributes.activation === 'linear' && !task.inputs[3]) normOf.set(task.outputs[0]!, task)
    // What reads the statistics keeps the normalization where it is.
    for (const input of task.inputs) {
      for (const [y, norm] of normOf) if (input && norm.outputs.indexOf(input) > 0) normOf.delete(y)
    }
    if (task.op.name !== 'add') continue
    const index = [1, 0].find((i) => normOf.has(task.inputs[i]!) && uses.get(task.inputs[i]!) === 1)
    if (index === undefined || !sameShape(task.inputs[0]!.shape, task.inputs[1]!.shape)) continue
    const norm = normOf.get(task.inputs[index]!)!
    const [x, gamma, beta] = norm.inputs
    normOf.delete(task.inputs[index]!)
    replaced.set(norm, undefined)
    replaced.set(task, {
      ...norm,
      attributes: { ...norm.attributes, ...task.attributes },
      inputs: [x, gamma, beta, task.inputs[1 - index]],
      outputs: [task.outputs[0], ...norm.outputs.slice(1)],
    })
  }
  return tasks.flatMap((task) => (replaced.has(task) ? (replaced.get(task) ?? []) : task))
}
